import { coilWithDefects, expect, test, violations } from '../support/page';

interface Standing {
  standing: { key: string; state: string }[];
  aside: { key: string; state: string; by?: string }[];
}

test('an alarm is acknowledged, shelved and brought back, and the history says by whom', async ({ page }) => {
  test.setTimeout(240_000);
  const alarms = async () => (await (await page.request.get('/api/v1/alarms')).json()) as Standing;
  // The simulated mill makes severe defects; before the first, nothing stands.
  await expect
    .poll(async () => (await alarms()).standing.map((a) => a.key), { timeout: 120_000 })
    .toContain('severe_defect:severe');
  await page.goto('/');
  await page.getByRole('link', { name: /^Alarms/ }).click();
  const standing = page.getByTestId('standing');
  const severe = standing.locator('[data-key="severe_defect:severe"]');
  await expect(severe).toContainText('Severe defect');
  await expect(severe.getByRole('link')).toHaveAttribute('href', /\/coils\/.+\?defect=\d+/);
  expect(await violations(page), 'alarms').toEqual([]);

  await severe.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.getByRole('alert')).toContainText('Write your name first');
  await page.getByLabel('Your name').fill('Lee');
  await severe.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.getByText('acknowledged, by Lee').first()).toBeVisible();

  await severe.getByRole('button', { name: 'Shelve…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Shelve: Severe defect' });
  expect(await violations(page), 'dialog').toEqual([]);
  await dialog.getByRole('button', { name: 'Shelve', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('Write a reason first');
  await dialog.getByLabel('Reason').fill('roll change under way');
  await dialog.getByRole('button', { name: '15 minutes' }).click();
  await dialog.getByRole('button', { name: 'Shelve', exact: true }).click();
  const aside = page.getByTestId('aside').locator('[data-key="severe_defect:severe"]');
  await expect(aside).toContainText(/Shelved by Lee .*until .*“roll change under way”/);
  await expect(severe).toHaveCount(0);
  expect((await alarms()).aside[0]).toMatchObject({ state: 'shelved', by: 'Lee' });

  await aside.getByRole('button', { name: 'Bring back' }).click();
  await expect(aside).toHaveCount(0);
  await expect(page.getByText('brought back, by Lee').first()).toBeVisible();

  await page.getByRole('button', { name: '한국어' }).click();
  await expect(page.getByRole('heading', { name: '경보', exact: true })).toBeVisible();
  expect(await violations(page), 'Korean').toEqual([]);
});

test('what cannot be done with an alarm is said in a sentence', async ({ page }) => {
  const unknown = await page.request.post('/api/v1/alarms/nothing', {
    data: { event: 'acknowledged', by: 'Lee' },
  });
  expect(unknown.status()).toBe(404);
  const nobody = await page.request.post('/api/v1/alarms/nothing', {
    data: { event: 'acknowledged', by: ' ' },
  });
  expect(nobody.status()).toBe(422);
});

test('rules of defects are edited, tried on past coils, published, and not over somebody else’s', async ({
  page,
}) => {
  test.setTimeout(180_000);
  await coilWithDefects(page);
  await page.goto('/alarms');
  const panel = page.getByTestId('alarm-rules');
  await expect(panel).toContainText('by the configuration');
  await panel.getByRole('button', { name: 'Edit as the next version' }).click();
  await expect(panel.getByRole('button', { name: 'Publish…' })).toBeDisabled();
  await panel.getByRole('button', { name: 'Add a rule' }).click();
  const rule = panel.getByTestId('alarm-rule').last();
  await rule.getByLabel('Name').fill('density');
  await panel.getByRole('button', { name: 'Try on past coils' }).click();
  await expect(panel.getByRole('alert')).toContainText(
    'rules[2].id: "density" is the name of another rule already',
  );
  await rule.getByLabel('Name').fill('holes');
  await rule.getByRole('button', { name: 'hole', exact: true }).click();
  await rule.getByLabel('Priority').selectOption('low');
  await panel.getByRole('button', { name: 'Try on past coils' }).click();
  const tried = panel.getByTestId('alarm-rules-test');
  await expect(tried).toContainText(/\d+ coils? looked at, which ran for/);
  await expect(tried.getByRole('row').filter({ hasText: 'holes' })).toHaveCount(1);
  expect(await violations(page), 'rules tried').toEqual([]);

  // Somebody else is faster.
  const standing = async () =>
    (
      (await (await page.request.get('/api/v1/alarms')).json()) as {
        rules: { version: number; rules: unknown[] };
      }
    ).rules;
  const { version, rules } = await standing();
  const other = { version: version + 1, by: 'Park', note: 'as it was', rules };
  expect((await page.request.post('/api/v1/alarms/rules', { data: other })).status()).toBe(201);
  expect((await page.request.post('/api/v1/alarms/rules', { data: other })).status()).toBe(409);
  await expect(panel.getByRole('alert')).toContainText(`Meanwhile v${version + 1} was published by Park`, {
    timeout: 60_000,
  });
  await panel.getByRole('button', { name: 'Go on' }).click();

  await panel.getByRole('button', { name: 'Publish…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Your name').fill('Lee');
  await dialog.getByLabel('What changed and why').fill('holes are told apart');
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
  await expect(panel).toContainText(`v${version + 2}, published by Lee`);
  await expect(panel).toContainText('hole · severity 3 and more · each one · Low');
  await expect(page.getByText('Rules of defects published, by Lee')).toBeVisible();
  await panel.getByRole('button', { name: 'Earlier versions' }).click();
  await expect(panel).toContainText(`v${version + 1}, published by Park`);
  expect((await standing()).version).toBe(version + 2);
  await page.request.post('/api/v1/alarms/rules', { data: { version: version + 3, by: 'Lee', rules } }); // for the tests after
});

test('one alarm that is gone keeps no other from being acknowledged', async ({ page }) => {
  const alarm = (key: string) => ({
    key,
    code: 'no_coil',
    priority: 'low',
    state: 'active',
    since: '2026-03-01T08:00:00Z',
    times: 1,
    first_out: false,
  });
  const standing = [alarm('gone'), alarm('there')];
  await page.route('**/api/v1/alarms', (route) =>
    route.fulfill({ json: { standing, aside: [], flood: false, rules: { version: 0, rules: [] } } }),
  );
  const asked: string[] = [];
  await page.route('**/api/v1/alarms/*', (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const key = new URL(route.request().url()).pathname.split('/').at(-1)!;
    asked.push(key);
    const headers = { 'Content-Type': 'application/problem+json' };
    if (key === 'gone')
      return route.fulfill({ status: 404, headers, body: '{"detail":"alarm is not known"}' });
    return route.fulfill({ json: {} });
  });
  await page.addInitScript(() => localStorage.setItem('coilsight.reviewer', 'Lee'));
  await page.goto('/alarms');
  await page.getByRole('button', { name: 'Acknowledge all' }).click();
  await expect(page.getByTestId('standing').getByRole('alert')).toContainText('alarm is not known');
  await expect.poll(() => asked).toEqual(['gone', 'there']);
});

test('older lines of the history come once, however often they are asked for', async ({ page }) => {
  const line = (seq: number) => ({
    seq,
    at: '2026-03-01T08:00:00Z',
    event: 'raised',
    key: 'no_coil',
    code: 'no_coil',
  });
  await page.route('**/api/v1/alarms/history?*', async (route) => {
    const before = Number(new URL(route.request().url()).searchParams.get('before')) || 101;
    await new Promise((done) => setTimeout(done, 300));
    await route.fulfill({ json: { records: Array.from({ length: 50 }, (_, i) => line(before - 1 - i)) } });
  });
  await page.goto('/alarms');
  const history = page.getByRole('region', { name: 'History' });
  await expect(history.getByRole('listitem')).toHaveCount(50);
  await history.getByRole('button').dblclick();
  await expect(history.getByRole('listitem')).toHaveCount(100);
  await page.waitForTimeout(600); // a second answer would have come by then
  await expect(history.getByRole('listitem')).toHaveCount(100);
});
