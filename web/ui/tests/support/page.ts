import { test as base, expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { REPLAYED } from './appliance';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Coil {
  id: string;
  state: string;
  counts: { defects: number };
}

/** A page of the appliance; a script error or a request to another host fails the test. */
export const test = base.extend<{ wrong: string[] }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads a fixture's needs from the pattern
  baseURL: async ({}, use) => use(process.env.COILSIGHT_URL),
  wrong: [
    async ({ page }, use) => {
      const wrong: string[] = [];
      page.on('pageerror', (error) => wrong.push(`script error: ${error.message}`));
      page.on('request', (request) => {
        const { protocol, host } = new URL(request.url());
        if (protocol.startsWith('http') && host !== new URL(process.env.COILSIGHT_URL!).host) {
          wrong.push(`request to ${host}`);
        }
      });
      await use(wrong);
      expect(wrong).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** A coil with defects, one that has ended if there is such; the appliance needs a while for its first. */
export async function coilWithDefects(page: Page, least = 3): Promise<Coil> {
  let found: Coil | undefined;
  await expect
    .poll(
      async () => {
        const response = await page.request.get('/api/v1/coils?limit=50');
        const { coils } = (await response.json()) as { coils: Coil[] };
        const fit = coils.filter((c) => c.counts.defects >= least && c.id !== REPLAYED);
        found = fit.find((c) => c.state === 'closed') ?? fit[0];
        return found?.id;
      },
      { timeout: 80_000, message: `a coil with at least ${least} defects` },
    )
    .toBeTruthy();
  return found!;
}

/** What axe finds wrong, as lines that say where. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource); // by the debugger: the page's own policy allows no foreign script
  return page.evaluate(async () => {
    const axe = (window as unknown as { axe: typeof import('axe-core') }).axe;
    const result = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return result.violations.flatMap((v) =>
      v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} (${n.failureSummary ?? ''})`),
    );
  });
}

/** How many different colours a canvas holds. */
export function colours(page: Page, selector: string): Promise<number> {
  return page.locator(selector).evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}
