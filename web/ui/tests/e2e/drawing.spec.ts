import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Appliance } from '../support/appliance';
import { expect, test } from '../support/page';

/**
 * How evenly the live page draws while many defects come; `make bench` prints it. The limit is a multiple of what the page must do on a
 * machine of its own: it catches a slow way, not a busy machine.
 */
test.skip(!process.env.COILSIGHT_DRAWING, 'measures; make bench runs it');

const SECONDS = 10;
const LEAST_FRAMES = 30 * SECONDS; // must 60 a second
const LEAST_EVENTS = 150; // a second

let appliance: Appliance;
test.beforeAll(async () => {
  appliance = await serve(
    mkdtempSync(join(tmpdir(), 'coilsight-drawing-')),
    'mill: {pixels_across: 1280, mm_per_pixel: 1, speed_mps: 16, coil_length_m: [600, 600], defects_per_100m: 1000, defect_mix: even}\n',
  );
  process.env.COILSIGHT_URL = appliance.url;
});
test.afterAll(async () => appliance.stop());

for (const path of ['/', '/wall']) {
  test(`${path} draws evenly while defects come`, async ({ page }) => {
    await page.goto(path);
    await expect(page.getByTestId('coil')).toHaveText(/SIM-/, { timeout: 60_000 });
    await page.waitForTimeout(8000); // to its speed
    const { frames, events } = await page.evaluate(
      (seconds) =>
        new Promise<{ frames: number[]; events: number }>((done) => {
          const frames: number[] = [];
          let events = 0;
          const feed = new EventSource('/api/v1/events');
          feed.addEventListener('defect', () => events++);
          const began = performance.now();
          let last = began;
          requestAnimationFrame(function frame(now) {
            frames.push(now - last);
            last = now;
            if (now - began < seconds * 1000) requestAnimationFrame(frame);
            else {
              feed.close();
              done({ frames: frames.slice(1), events });
            }
          });
        }),
      SECONDS,
    );
    const sorted = frames.toSorted((a, b) => a - b);
    const p99 = sorted[Math.floor(0.99 * sorted.length)]!;
    console.log(
      `${path}: ${frames.length} frames in ${SECONDS} s with ${(events / SECONDS).toFixed(0)} events/s; frame to frame p99 ${p99.toFixed(1)}, max ${sorted.at(-1)!.toFixed(1)} ms`,
    );
    expect(events / SECONDS).toBeGreaterThan(LEAST_EVENTS);
    expect(frames.length).toBeGreaterThan(LEAST_FRAMES);
  });
}
