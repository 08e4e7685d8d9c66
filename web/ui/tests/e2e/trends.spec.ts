import { coilWithDefects, colours, expect, test, violations } from '../support/page';

interface Trends {
  all: { defects: number };
  reviews: { class?: string; reviewed: number; no_defect: number }[];
}

test.beforeEach(async ({ page }) => {
  test.setTimeout(180_000);
  await coilWithDefects(page);
  // Coils count once they have ended.
  await expect
    .poll(async () => ((await (await page.request.get('/api/v1/trends')).json()) as Trends).all.defects, {
      timeout: 120_000,
    })
    .toBeGreaterThan(0);
});

test('charts are drawn, read by pointing, and told by tables', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Trends' }).click();
  const rate = page.getByTestId('rate');
  await expect(rate.locator('canvas')).toBeVisible();
  expect(await colours(page, '[data-testid=rate] canvas')).toBeGreaterThan(3);
  expect(await colours(page, '[data-testid=profiles] canvas >> nth=0')).toBeGreaterThan(3);

  const plot = (await rate.locator('.u-over').boundingBox())!;
  await page.mouse.move(plot.x + plot.width - 2, plot.y + plot.height / 2);
  await expect(page.getByTestId('readout')).toContainText(/\d+ defects? · \d+ coils?/);

  await rate.getByText('As a table').click();
  await expect(rate.locator('tbody tr').first()).toContainText('%');
  await page.getByTestId('profiles').getByText('As a table').click();
  await expect(page.getByTestId('profiles').locator('tbody tr')).toHaveCount(20);
  expect(await violations(page), 'tables open').toEqual([]);

  await rate.getByRole('button', { name: 'By class group' }).click();
  await expect(page).toHaveURL(/lines=groups/);
  await expect(rate.locator('.key li').first()).toBeVisible();
  expect(await violations(page), 'by group').toEqual([]);
});

test('a class, a grade of a shift and a point lead to exactly their coils', async ({ page }) => {
  await page.goto('/trends?period=30d');
  const first = page.getByTestId('pareto').locator('tbody tr').first();
  const concerned = Number(await first.locator('td').last().innerText());
  await first.getByRole('link').click();
  await expect(page).toHaveURL(/class=\w+/);
  await expect(page.locator('tbody tr')).toHaveCount(Math.min(50, concerned));
  await expect(page.getByRole('button', { name: /^Take back: Class:/ })).toBeVisible();
  expect(await violations(page), 'coils').toEqual([]);

  await page.goBack();
  const graded = page.locator('[data-kind=shift] tbody a.count').first();
  await expect(graded).toHaveAttribute('aria-label', /^Shift from \d\d:\d\d, \w+: \d+$/);
  const count = Number(await graded.innerText());
  await graded.click();
  await expect(page).toHaveURL(/grade=\w+/);
  await expect(page).toHaveURL(/shift=\d\d%3A\d\d/);
  await expect(page.locator('tbody tr')).toHaveCount(Math.min(50, count));

  await page.goBack();
  const rate = page.getByTestId('rate');
  await expect(rate.locator('canvas')).toBeVisible();
  await rate.getByText('As a table').click();
  const point = rate.locator('tbody tr').last();
  const coils = Number(await point.locator('td').nth(2).innerText());
  await point.getByRole('link').click();
  await expect(page).toHaveURL(/\/coils\?.*since=.*until=/);
  await expect.poll(() => page.locator('tbody tr').count()).toBe(Math.min(50, coils));
});

test('a bar of the strip leads to the coils with defects there, and a coil to that stretch', async ({
  page,
}) => {
  await page.goto('/trends?period=30d');
  const profiles = page.getByTestId('profiles');
  await profiles.getByText('As a table').click();
  const cell = profiles.locator('tbody td a[aria-label*="head to tail end"]').first();
  await expect(cell).toHaveAttribute('aria-label', /, \d+–\d+ % · .* defects?$/);
  const defects = Number(/(\d+) defects?$/.exec((await cell.getAttribute('aria-label'))!)![1]);
  await cell.click();
  await expect(page).toHaveURL(/side=(top|bottom)&along=\d+/);
  await expect(page.getByRole('button', { name: /^Take back: Along: .* from the head end$/ })).toBeVisible();
  await expect(page.locator('tbody tr').first()).toBeVisible();
  expect(await violations(page), 'coils of a part').toEqual([]);
  const coils = await page.locator('tbody tr').count();
  expect(coils).toBeGreaterThan(0);

  // What the coils show together is what the bar counts.
  let shown = 0;
  for (let i = 0; i < coils; i++) {
    await page.locator('tbody tr').nth(i).getByRole('link').click();
    await expect(page).toHaveURL(/\/coils\/.+\?.*box=/);
    await expect(page.getByRole('button', { name: /^Area chosen/ })).toBeVisible();
    const text = await page.getByTestId('shown').innerText();
    const here = Number(/[\d,]+/.exec(text)![0].replace(',', ''));
    expect(here).toBeGreaterThan(0);
    // What people called no defect stays on the map, and counts in no bar.
    const none = page.locator('button.class').filter({ hasText: /^no defect/i });
    shown += here - ((await none.count()) > 0 ? Number(/\d+/.exec(await none.innerText())![0]) : 0);
    await page.goBack();
    await expect(page.locator('tbody tr')).toHaveCount(coils);
  }
  expect(shown).toBe(defects);
});

test('coils that were recorded without a steel grade have a row that leads to them', async ({ page }) => {
  await page.goto('/trends?without=steel_grade&period=30d');
  await expect(page.getByRole('combobox', { name: 'Steel grade' }).locator('option:checked')).toHaveText(
    'Not announced',
  );
  await page.getByRole('combobox', { name: 'Steel grade' }).selectOption('All');
  await expect(page).not.toHaveURL(/without/);
  await page.getByRole('combobox', { name: 'Steel grade' }).selectOption('Not announced');
  await expect(page).toHaveURL(/without=steel_grade/);
  await page.goto('/coils?without=steel_grade,recipe');
  await page.getByRole('button', { name: 'Take back: Recipe: Not announced' }).click();
  await expect(page).toHaveURL(/without=steel_grade(&|$)/);
});

test('figures of one filter are not shown as those of another that failed', async ({ page }) => {
  await page.goto('/trends');
  await expect(page.getByTestId('rate')).toBeVisible();
  await page.route('**/api/v1/trends?*side=top*', (route) => route.fulfill({ status: 500 }));
  await page.getByRole('combobox', { name: 'Side' }).selectOption('top');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByTestId('rate')).toBeHidden();
  await page.unroute('**/api/v1/trends?*side=top*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('rate')).toBeVisible();
});

test('a review changes the rates and the class that counts', async ({ page }) => {
  const coil = await coilWithDefects(page);
  const list = await page.request.get(`/api/v1/coils/${coil.id}/defects?limit=100`);
  const { defects } = (await list.json()) as { defects: { id: number; class: string; review?: object }[] };
  const one = defects.find((d) => d.class !== 'unclassified' && !d.review)!;
  const of = async () => {
    const t = (await (await page.request.get(`/api/v1/trends?class=${one.class}`)).json()) as Trends;
    const r = t.reviews.find((x) => x.class === one.class);
    return { reviewed: r?.reviewed ?? 0, no_defect: r?.no_defect ?? 0 };
  };
  await expect
    .poll(
      async () =>
        ((await (await page.request.get(`/api/v1/coils/${coil.id}`)).json()) as { state: string }).state,
      {
        timeout: 120_000,
      },
    )
    .toBe('closed');
  const before = await of();
  const said = await page.request.put(`/api/v1/defects/${one.id}/review`, {
    data: { class: 'no_defect', by: 'Lee' },
    headers: { 'If-Match': '*' },
  });
  expect(said.ok()).toBe(true);
  expect(await of()).toEqual({ reviewed: before.reviewed + 1, no_defect: before.no_defect + 1 });

  await page.goto(`/trends?class=${one.class}`);
  const rows = page.getByTestId('reviews').locator('tbody tr');
  await expect(rows.first()).toContainText(/\d+ % \(\d+–\d+ %\)/);
  await rows.last().getByRole('link').click();
  await expect(page).toHaveURL(new RegExp(`reviewed=${one.class}`));
  await expect(page.getByRole('link', { name: coil.id })).toBeVisible();
});

test('filters stand in the address; what fits nothing says what to do', async ({ page }) => {
  await page.goto('/trends');
  await expect(page.getByTestId('rate')).toBeVisible();
  await page.getByRole('combobox', { name: 'Side' }).selectOption('top');
  await page.getByRole('button', { name: '24 hours' }).click();
  await expect(page).toHaveURL(/side=top/);
  await expect(page).toHaveURL(/period=24h/);
  await page.reload();
  await expect(page.getByRole('combobox', { name: 'Side' })).toHaveValue('top');
  await expect(page.getByTestId('profiles').locator('figure')).toHaveCount(2);

  await page.goto('/trends?steel_grade=no-such-steel');
  await expect(page.getByText('No coil fits the filters')).toBeVisible();
  expect(await violations(page), 'nothing found').toEqual([]);
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await expect(page.getByTestId('rate')).toBeVisible();

  await page.goto('/trends?period=own&from=2026-03-05&to=2026-03-01');
  await expect(page.getByRole('alert')).toContainText('Not done');
});

test('in Korean', async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem('coilsight.language', 'ko'));
  await page.goto('/trends');
  await expect(page.getByRole('heading', { name: '추세', exact: true })).toBeVisible();
  await expect(page.getByTestId('pareto')).toContainText('누적');
  await expect(page.getByTestId('grades')).toContainText(/\d\d:00 시작 근무조/);
  expect(await violations(page)).toEqual([]);
});
