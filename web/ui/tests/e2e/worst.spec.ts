import type { Page } from '@playwright/test';
import { expect, test } from '../support/page';

/**
 * The coil of 200,000 defects that `go test ./web -run WorstCoil -v` serves, which prints what is measured. The limits are a multiple of what
 * the page must do on a machine of its own: they catch a slow way, not a busy machine.
 */
const COIL = process.env.COILSIGHT_WORST;
const FIRST_SCREEN_MS = 5000; // must 2000, aim 500
const FRAME_MS = 250; // must 100, aim 16
test.skip(!COIL, 'needs the appliance that go test ./web -run WorstCoil serves');

interface Clock {
  drawn: number; // ms from navigation to the drawn map, 0 until then
  work: number[]; // ms that each input of a gesture took, until the map was drawn anew
  frames: number[]; // ms from frame to frame of a gesture
}

/** Keeps time in the page: of the first drawn map, and of each input and frame of a gesture. */
function watch(): void {
  const clock: Clock = { drawn: 0, work: [], frames: [] };
  Object.assign(window, { clock });
  let began = 0;
  let moved = false;
  for (const type of ['wheel', 'pointermove']) {
    addEventListener(type, () => (began = performance.now()), { capture: true, passive: true });
    // The map is drawn before the event comes back up here.
    addEventListener(type, () => (moved = clock.work.push(performance.now() - began) > 0), { passive: true });
  }
  let last = 0;
  const frame = (now: number) => {
    if (!clock.drawn && /\d/.test(document.querySelector('[data-testid=shown]')?.textContent ?? '')) {
      clock.drawn = performance.now();
    }
    if (moved) clock.frames.push(now - last);
    moved = false;
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

const clock = (page: Page) => page.evaluate(() => (window as unknown as { clock: Clock }).clock);

/** What the frames of a gesture took, printed and held to the limit. */
async function measure(page: Page, what: string, gesture: () => Promise<void>): Promise<void> {
  await page.evaluate(() => {
    const { clock } = window as unknown as { clock: Clock };
    clock.work = [];
    clock.frames = [];
  });
  await gesture();
  const { work, frames } = await clock(page);
  const say = (values: number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    return `median ${at(0.5).toFixed(1)}, p99 ${at(0.99).toFixed(1)}, max ${at(1).toFixed(1)} ms`;
  };
  console.log(`${what}: ${frames.length} frames, script ${say(work)}; frame to frame ${say(frames)}`);
  expect(frames.length, what).toBeGreaterThan(20);
  expect(Math.max(...frames), what).toBeLessThan(FRAME_MS);
}

test('a coil of 200,000 defects opens, zooms and pans without a wait', async ({ page }) => {
  const said: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') said.push(message.text());
  });
  await page.addInitScript(watch);

  for (const visit of ['first', 'second']) {
    await page.goto(`/coils/${COIL}`, { waitUntil: 'commit' });
    await expect.poll(async () => (await clock(page)).drawn).toBeGreaterThan(0);
    const { drawn } = await clock(page);
    console.log(`first screen, ${visit} visit: ${drawn.toFixed(0)} ms`);
    expect(drawn).toBeLessThan(FIRST_SCREEN_MS);
  }
  const count = Number(process.env.COILSIGHT_WORST_DEFECTS).toLocaleString('en-GB');
  await expect(page.getByTestId('shown')).toContainText(`${count} of ${count} defects`);

  const box = (await page.getByRole('application').boundingBox())!;
  const at = { x: box.x + box.width * 0.7, y: box.y + box.height / 4 };
  await page.mouse.move(at.x, at.y);
  const wheel = async (by: number, times: number) => {
    for (let i = 0; i < times; i++) await page.mouse.wheel(0, by);
  };
  const drag = async () => {
    await page.mouse.down();
    await page.mouse.move(at.x - 300, at.y + 40, { steps: 40 });
    await page.mouse.move(at.x, at.y, { steps: 40 });
    await page.mouse.up();
  };
  await measure(page, 'zoom in', () => wheel(-60, 60));
  await measure(page, 'pan, close', drag);
  await measure(page, 'zoom out', () => wheel(60, 45));
  await measure(page, 'pan, far', drag);
  await page.screenshot({ path: 'test-results/worst-zoomed.png' });
  await page.getByRole('button', { name: 'Whole coil' }).click();

  const rows = page.locator('tbody tr');
  await expect(rows).toHaveCount(25);
  await page.getByRole('button', { name: '한국어' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  await expect(page.getByTestId('shown')).toContainText(count);
  await expect(rows).toHaveCount(25);
  await page.screenshot({ path: 'test-results/worst-ko.png', fullPage: true });
  expect(said).toEqual([]);
});
