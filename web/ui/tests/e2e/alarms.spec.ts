import { expect, test, violations } from '../support/page';

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
