import { REPLAYED } from '../support/appliance';
import { coilWithDefects, expect, test } from '../support/page';

test('the list shows coils with state, grade and counts, the running one first', async ({ page }) => {
  await coilWithDefects(page);
  await page.goto('/coils');
  const rows = page.locator('tbody tr');
  await expect(rows.first()).toBeVisible();
  await expect(rows.first().getByRole('link')).toHaveText(/SIM-/);
  // Between two coils none runs; the next one takes the first place by itself.
  await expect(rows.first().getByText('Running')).toBeVisible();
});

test('filters stand in the address and survive a reload', async ({ page }) => {
  await coilWithDefects(page);
  await page.goto('/coils');
  await page.getByRole('searchbox').fill('no-such-coil');
  await expect(page.getByText('No coil matches')).toBeVisible();
  await expect(page).toHaveURL(/q=no-such-coil/);
  await page.reload();
  await expect(page.getByText('No coil matches')).toBeVisible();
  await expect(page.getByRole('searchbox')).toHaveValue('no-such-coil');
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await expect(page.locator('tbody tr').first()).toBeVisible();
});

test('a search is typed in peace, and ends with the page', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto('/coils');
  const search = page.getByRole('searchbox');
  await search.pressSequentially('no ');
  await expect(page).toHaveURL(/q=no/);
  await expect(search).toHaveValue('no ');
  await search.fill('');
  const link = page.getByRole('link', { name: coil.id });
  await expect(link).toBeVisible();
  await search.pressSequentially('x');
  await link.click();
  await expect(page).toHaveURL(new RegExp(`/coils/${coil.id}$`));
  await expect(page.getByRole('heading', { name: coil.id })).toBeVisible();
  await expect(page.getByTestId('map')).toBeVisible();
  expect(new URL(page.url()).searchParams.get('q')).toBeNull();
});

test('coils of one filter are not shown as those of another that failed', async ({ page }) => {
  await coilWithDefects(page);
  await page.goto('/coils');
  await expect(page.locator('tbody tr').first()).toBeVisible();
  await page.route('**/api/v1/coils?*grade=block*', (route) => route.fulfill({ status: 500 }));
  await page.getByRole('button', { name: 'Block' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.locator('tbody tr')).toHaveCount(0);
});

test('a coil that is not recorded is told in a sentence', async ({ page }) => {
  await page.goto('/coils/NO-SUCH-COIL');
  await expect(page.getByText('Coil NO-SUCH-COIL is not recorded')).toBeVisible();
  await page.getByRole('link', { name: 'To all coils' }).click();
  await expect(page).toHaveURL(/\/coils$/);
});

test('an unknown address is told in a sentence', async ({ page }) => {
  await page.goto('/no/such/page');
  await expect(page.getByText('There is no such page').last()).toBeVisible();
});

test('a replayed coil is graded, drawn and opened', async ({ page }) => {
  test.skip(
    !(await page.request.get(`/api/v1/coils/${REPLAYED}`)).ok(),
    'the appliance that COILSIGHT_URL names has no replayed coil',
  );
  await page.goto(`/coils?q=${REPLAYED}`);
  await page.getByRole('link', { name: REPLAYED }).first().click();
  await expect(page.getByRole('heading', { name: REPLAYED })).toBeVisible();
  await expect(page.getByText('Closed').first()).toBeVisible();
  await expect(page.getByText('Why this grade')).toBeVisible();
  await expect(page.getByText('No camera: not inspected')).toBeVisible();
  await page.locator('body').press('KeyJ');
  await expect(page.locator('img[src*="/image"]').first()).toBeVisible();
});
