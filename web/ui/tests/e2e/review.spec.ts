import type { Page } from '@playwright/test';
import { REPLAYED } from '../support/appliance';
import { expect, test, violations } from '../support/page';

interface Detail {
  counts: { defects: number; reviewed?: number; reviewed_not_in_grade?: number };
  gradings: { by?: string }[];
}

const detail = async (page: Page) =>
  (await (await page.request.get(`/api/v1/coils/${REPLAYED}`)).json()) as Detail;

/** Opens the first defect that nobody reviewed yet, and gives its number. */
async function openUnreviewed(page: Page): Promise<number> {
  test.skip(
    !(await page.request.get(`/api/v1/coils/${REPLAYED}`)).ok(),
    'the appliance that COILSIGHT_URL names has no replayed coil',
  );
  await page.goto(`/coils/${REPLAYED}?review=unreviewed`);
  await expect(page.getByTestId('shown')).toBeVisible();
  await page.keyboard.press('KeyJ');
  await expect(page.getByTestId('review')).toBeVisible();
  return Number(new URL(page.url()).searchParams.get('defect'));
}

test('a defect is relabelled by key, under a name, and the answer is there after a reload', async ({
  page,
}) => {
  const id = await openUnreviewed(page);
  const panel = page.getByTestId('defect');
  await page.keyboard.press('Digit2');
  await expect(panel.getByRole('alert')).toContainText('Write your name first');
  await panel.getByLabel('Your name').fill('Kim');
  await panel.getByLabel('Note').fill('물때');
  await panel.getByLabel('Note').press('Enter');
  await page.keyboard.press('Digit2');
  await expect(panel.getByText(`Defect ${id} recorded: iron sheet ash`)).toBeVisible();
  // The next one nobody reviewed is open already.
  await expect(page).not.toHaveURL(new RegExp(`defect=${id}(&|$)`));

  await page.goto(`/coils/${REPLAYED}?defect=${id}`);
  const said = page.getByTestId('verdict');
  await expect(said).toContainText('iron sheet ash');
  await expect(said).toContainText('Kim');
  await expect(said).toContainText('물때');
  await expect(panel.getByRole('button', { name: 'iron sheet ash' }).first()).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await expect(panel.getByLabel('Your name')).toHaveValue('Kim');
  const recorded = (await (await page.request.get(`/api/v1/defects/${id}`)).json()) as {
    class: string;
    review: { class: string; by: string };
  };
  expect(recorded.review).toMatchObject({ class: 'iron_sheet_ash', by: 'Kim', note: '물때' });
  expect(recorded.class).toBeTruthy();
  await page.getByRole('button', { name: 'Not reviewed' }).click();
  await expect(page.locator('tbody').getByRole('button', { name: `Open defect ${id}:` })).toHaveCount(0);
});

test('a person goes through the defects by keys, with a Hangul input method too', async ({ page }) => {
  await openUnreviewed(page);
  await page.getByTestId('defect').getByLabel('Your name').fill('Lee');
  await page.getByTestId('defect').getByLabel('Your name').press('Enter');
  const before = (await detail(page)).counts.reviewed ?? 0;
  const press = (key: string, code: string) =>
    page.evaluate(
      ([k, c]) => {
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: k, code: c, bubbles: true }));
      },
      [key, code],
    );
  for (const [key, code] of [
    ['0', 'Digit0'],
    ['ㅕ', 'KeyU'],
  ] as const) {
    const at = page.url();
    await press(key, code);
    await expect(page).not.toHaveURL(at);
    await expect(page.getByTestId('review').locator('[aria-pressed=true]')).toHaveCount(0);
  }
  await expect.poll(async () => (await detail(page)).counts.reviewed).toBe(before + 2);
});

test('0 answers and leaves the map as it is, also where the map has the focus', async ({ page }) => {
  await openUnreviewed(page);
  const panel = page.getByTestId('defect');
  await panel.getByLabel('Your name').fill('Yoon');
  await panel.getByLabel('Go on to the next defect').uncheck();
  await page.keyboard.press('KeyK'); // the box that was clicked takes no letters
  await page.keyboard.press('KeyJ');
  const map = page.getByRole('application');
  const whole = page.getByRole('button', { name: 'Whole coil' });
  await map.focus();
  await page.keyboard.press('Equal');
  await expect(whole).toBeEnabled();
  await page.keyboard.press('Digit0');
  await expect(panel.getByText(/recorded: no defect/)).toBeVisible();
  await expect(whole).toBeEnabled();
  const { reviewed } = (await detail(page)).counts;
  await page.keyboard.press('Home');
  await expect(whole).toBeDisabled();
  expect((await detail(page)).counts.reviewed).toBe(reviewed);
});

test('the grade stays until a person asks, then the history shows both', async ({ page }) => {
  const id = await openUnreviewed(page);
  const panel = page.getByTestId('defect');
  await panel.getByLabel('Your name').fill('Park');
  await panel.getByLabel('Your name').press('Enter');
  await page.keyboard.press('Digit0');
  await expect(panel.getByText(`Defect ${id} recorded: no defect`)).toBeVisible();
  const gradings = page.getByTestId('gradings');
  await expect(gradings).toContainText('not in the grade');
  const count = (await detail(page)).gradings.length;
  await gradings.getByRole('button', { name: 'Grade again' }).click();
  await expect(gradings).not.toContainText('not in the grade');
  await expect(gradings).toContainText('Park');
  await expect(gradings).toContainText('Line, at the end of the coil');
  await expect(gradings.locator('li')).toHaveCount(count + 1);
  expect(await violations(page)).toEqual([]);
  const after = await detail(page);
  expect(after.counts.reviewed_not_in_grade ?? 0).toBe(0);
  expect(after.gradings.at(-1)!.by).toBe('Park');
});

test('who looked at an old page is told, and shown what is there', async ({ page }) => {
  const id = await openUnreviewed(page);
  const panel = page.getByTestId('defect');
  await panel.getByLabel('Your name').fill('Choi');
  await panel.getByLabel('Your name').press('Enter');
  const other = await page.request.put(`/api/v1/defects/${id}/review`, {
    data: { class: 'hole', by: 'Jung' },
    headers: { 'If-Match': '*' },
  });
  expect(other.ok()).toBe(true);
  await page.keyboard.press('Digit5');
  await expect(panel.getByRole('alert')).toContainText('Somebody changed this meanwhile');
  await expect(page.getByTestId('verdict')).toContainText('Jung');
});
