import { colours, expect, test } from '../support/page';

const metres = (text: string | null) => Number.parseFloat((text ?? '').replace(/[^\d.]/g, '').slice(0, 6));

test('the live page moves by itself', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('coil')).toHaveText(/SIM-/);
  const position = page.getByTestId('position');
  const first = metres(await position.textContent());
  await expect.poll(async () => metres(await position.textContent())).not.toBe(first);
  await expect(page.getByText('Connected')).toBeVisible();
});

test('serious defects appear with their pictures, newest first', async ({ page }) => {
  test.setTimeout(260_000);
  await page.goto('/');
  const shown = page.locator('section li a[href*="?defect="]');
  await expect(shown.first()).toBeVisible({ timeout: 120_000 });
  const href = await shown.first().getAttribute('href');
  await expect.poll(() => shown.first().getAttribute('href'), { timeout: 120_000 }).not.toBe(href);
  const ids = await shown.evaluateAll((all) =>
    all.map((a) => Number(new URL((a as HTMLAnchorElement).href).searchParams.get('defect'))),
  );
  expect(ids).toEqual(ids.toSorted((a, b) => b - a));
  for (const id of ids) {
    const defect = (await (await page.request.get(`/api/v1/defects/${id}`)).json()) as { severity: number };
    expect(defect.severity).toBeGreaterThanOrEqual(3);
  }
  const picture = page.locator('section li img').first();
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
});

test('the strip is drawn and runs on', async ({ page }) => {
  await page.goto('/');
  await expect.poll(() => colours(page, '.strip canvas'), { timeout: 60_000 }).toBeGreaterThan(40);
  const snapshot = () => page.locator('.strip canvas').evaluate((c: HTMLCanvasElement) => c.toDataURL());
  const before = await snapshot();
  await expect.poll(snapshot).not.toBe(before);
});

test('the ledger of every camera balances on the screen', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByText('Frame ledger')).toBeVisible();
  const rows = page.locator('.ledger tbody tr');
  await expect(rows).toHaveCount(9);
  await expect(rows.first().locator('td')).toHaveCount(2); // the first status has come
  const sums = await rows.evaluateAll((list) => {
    const cell = (row: Element, side: number) =>
      Number(row.querySelectorAll('td')[side]!.textContent!.replaceAll(',', ''));
    return [0, 1].map((side) => ({
      arrived: cell(list[0]!, side),
      parts: list.slice(1, 7).reduce((sum, row) => sum + cell(row, side), 0),
    }));
  });
  for (const { arrived, parts } of sums) expect(parts).toBe(arrived);
});

test('a lost connection is said with its time, and the page recovers', async ({ page, context }) => {
  await page.goto('/');
  await expect(page.getByText('Connected')).toBeVisible();
  // The shared worker's stream is outside of the page's reach: a page without one shows the same.
  await page.addInitScript(() => Reflect.deleteProperty(window, 'SharedWorker'));
  await context.route('**/api/v1/events', (route) => route.abort());
  await page.reload();
  await expect(page.getByText(/No connection since \d\d:\d\d:\d\d/)).toBeVisible();
  await context.unroute('**/api/v1/events');
  await expect(page.getByText('Connected')).toBeVisible();
});
