import type { Page } from '@playwright/test';
import { coilWithDefects, colours, expect, test, violations } from '../support/page';

const CSS_MM = 96 / 25.4;

/** Height of a capital in mm of a screen whose millimetre has so many px. */
const letter = (page: Page, selector: string, mm: number) =>
  page
    .locator(selector)
    .first()
    .evaluate((e, px) => (Number.parseFloat(getComputedStyle(e).fontSize) * 0.71) / px, mm);

test('the wall view says in letters for its distance what an operator must know', async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto('/');
  await page.getByRole('link', { name: 'Wall view' }).click();
  await expect(page.getByTestId('coil')).toHaveText(/SIM-/);
  for (const lamp of ['Cameras', 'Light and view', 'Strip length', 'Classifier', 'Record']) {
    await expect(page.getByLabel('What must work').getByText(lamp, { exact: true })).toBeVisible();
  }
  await expect.poll(() => colours(page, '.strip canvas'), { timeout: 60_000 }).toBeGreaterThan(40);
  // 5.8 mm a metre at 3 m.
  expect(await letter(page, '[data-testid="coil"]', CSS_MM)).toBeGreaterThan(17);
  expect(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight)).toBe(true);
  expect(await violations(page), 'wall').toEqual([]);
  await page.getByRole('link', { name: 'Leave the wall view' }).click();
  await expect(page.getByRole('link', { name: 'Coils', exact: true })).toBeVisible();
});

test('a lost connection is said on the wall, and no lamp stays on', async ({ page, context }) => {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'SharedWorker'));
  await page.goto('/wall');
  await expect(page.getByTestId('coil')).toHaveText(/SIM-/);
  await context.route('**/api/v1/events', (route) => route.abort());
  await page.reload();
  await expect(page.getByRole('alert')).toContainText(/No connection since \d\d:\d\d:\d\d/);
  await expect(page.getByText('Not watched')).toHaveCount(5);
});

test('a screen is told how large and how far away it is, and says what cannot be read', async ({ page }) => {
  await page.goto('/display');
  const bar = page.getByTestId('bar');
  const width = async () => (await bar.boundingBox())!.width;
  expect(await width()).toBeCloseTo(100 * CSS_MM, 0);
  await page.getByLabel('Length of the bar').fill('250');
  expect(await width()).toBeCloseTo(250, 0);
  for (let i = 0; i < 14; i++) await page.getByRole('button', { name: 'Farther' }).click();
  await expect(page.getByText('10.0 m', { exact: true })).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: 'too small' })).toContainText('are read from');
  for (let i = 0; i < 16; i++) await page.getByRole('button', { name: 'Nearer' }).click();
  await expect(page.getByText('2.0 m', { exact: true })).toBeVisible();
  await expect(page.getByText('too small')).toHaveCount(0);
  expect(await violations(page), 'display').toEqual([]);
  await page.reload();
  expect(await width()).toBeCloseTo(250, 0);
  await page.goto('/wall');
  expect(await letter(page, '[data-testid="coil"]', 2.5)).toBeCloseTo(11.6, 1);
});

test('with gloves everything pressed is 20 mm large and 6 mm from the next', async ({ page }) => {
  test.setTimeout(120_000);
  const coil = await coilWithDefects(page);
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto('/display');
  await page.getByRole('group', { name: 'Gloves' }).getByRole('button', { name: 'On' }).click();
  for (const path of [
    '/display',
    '/',
    '/wall',
    '/alarms',
    '/coils',
    `/coils/${coil.id}`,
    `/coils/${coil.id}?show=pictures`,
  ]) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeAttached();
    await page.waitForTimeout(1500); // lists
    const wrong = await page.evaluate((mm) => {
      const near = 0.5; // px that rounding may take
      const pressed = [...document.querySelectorAll('a, button, input, select, summary')]
        .filter((e) => !e.closest('.skip, dialog:not([open])'))
        // A row is pressed as a whole.
        .map((e) => ({
          e,
          r: ((e.matches('.listing th a') && e.closest('tr')) || e).getBoundingClientRect(),
        }))
        .filter(({ r }) => r.width > 2 && r.height > 2);
      const name = (e: Element) =>
        `${e.tagName} ${e.textContent.trim() || e.getAttribute('aria-label') || ''}`;
      const found = pressed
        .filter(({ r }) => Math.min(r.width, r.height) < 20 * mm - near)
        .map(({ e, r }) => `${name(e)}: ${r.width} × ${r.height}`);
      pressed.forEach(({ e, r }, i) => {
        for (const other of pressed.slice(i + 1)) {
          const apart = Math.max(
            other.r.left - r.right,
            r.left - other.r.right,
            other.r.top - r.bottom,
            r.top - other.r.bottom,
          );
          const rows = e.closest('.listing') && other.e.closest('.listing');
          if (!rows && apart < 6 * mm - near) found.push(`${name(e)} | ${name(other.e)}: ${apart} apart`);
        }
      });
      return found;
    }, CSS_MM);
    expect(wrong, path).toEqual([]);
  }
});

test('a key is set for this screen, and an exchanged one with it', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto('/display');
  const keys = page.getByTestId('keys');
  const next = keys.getByRole('listitem').filter({ hasText: 'Next, without an answer' }).getByRole('button');
  const previous = keys.getByRole('listitem').filter({ hasText: 'Previous' }).getByRole('button');
  await next.click();
  await expect(next).toHaveText('Press a key …');
  await page.keyboard.press('Digit3');
  await expect(page.getByText('That key has its own meaning.')).toBeVisible();
  await next.click();
  await page.keyboard.press('Escape');
  await expect(next).toHaveText('J');
  await next.click();
  await page.keyboard.press('Control+KeyC'); // copies
  await expect(next).toHaveText('Press a key …');
  await page.keyboard.press('KeyK');
  await expect(next).toHaveText('K');
  await expect(previous).toHaveText('J');
  expect(await violations(page), 'keys').toEqual([]);

  await page.goto(`/coils/${coil.id}`);
  await expect(page.getByTestId('shown')).toBeVisible();
  await page.keyboard.press('KeyK');
  const first = page.url();
  expect(first).toContain('defect=');
  await page.keyboard.press('KeyK');
  await expect(page).not.toHaveURL(first);
  await page.keyboard.press('KeyJ');
  await expect(page).toHaveURL(first);
  await expect(page.getByTestId('defect').getByRole('button', { name: /^Next/ })).toHaveText(/K/);

  await page.goto('/display');
  await page.getByRole('button', { name: 'Keys as delivered' }).click();
  await expect(next).toHaveText('J');
});
