import type { Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from '../support/appliance';
import { expect, test, violations } from '../support/page';

interface List {
  active: { id: string; by?: string };
  at_work: string;
  previous?: { id: string };
}

const list = async (page: Page) => (await (await page.request.get('/api/v1/teachings')).json()) as List;

/**
 * Teaches line-2 from some metres of rendered strip, as a person would on the appliance. The pictures must stay for
 * the answers: the caller removes the folder.
 */
function learn(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coilsight-taught-'));
  execFileSync(binary(), ['simulate', '--out', folder, '--metres', '5', '--seed', '7'], { stdio: 'pipe' });
  execFileSync(
    binary(),
    ['teach', 'learn', '--data', process.env.COILSIGHT_DATA!, '--name', 'line-2', '--by', 'Kim', folder],
    { stdio: 'pipe' },
  );
  return folder;
}

// The second test decides on what the first one made.
test.describe.configure({ mode: 'serial' });

let strips = '';
test.afterAll(() => strips && rmSync(strips, { recursive: true, force: true }));

test('a version is learned, answered by keys, activated at a coil boundary, and taken back', async ({
  page,
}) => {
  test.skip(
    !process.env.COILSIGHT_DATA,
    'the record of the appliance that COILSIGHT_URL names is not at hand',
  );
  test.setTimeout(240_000);

  await page.goto('/');
  await page.getByRole('link', { name: 'Teaching' }).click();
  await expect(page.getByRole('heading', { name: 'Nothing was taught yet' })).toBeVisible();
  await expect(page.locator('pre')).toContainText(
    `coilsight teach learn --data "${process.env.COILSIGHT_DATA}"`,
  );
  expect(await violations(page), 'empty').toEqual([]);

  strips = learn();
  // The page finds it without being loaded anew.
  const figures = page.getByTestId('teach-figures');
  await expect(figures.getByRole('heading', { name: 'line-2-v1' })).toBeVisible();
  await expect(figures).toContainText('Golden defects found');
  const questions = page.getByTestId('teach-questions');
  await expect(questions.getByRole('heading', { name: /^Question 1 of / })).toBeVisible();
  await expect
    .poll(() => questions.locator('img.crop').evaluate((img: HTMLImageElement) => img.naturalWidth))
    .toBeGreaterThan(64);

  // Keys work with a Hangul input method on, and an answer leads on to the next open question.
  await page.evaluate(() =>
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ㅜ', code: 'KeyN', bubbles: true })),
  );
  await expect(questions.getByRole('heading', { name: /^Question 2 of / })).toBeVisible();
  await expect(questions.getByRole('button', { name: 'Question 1: Normal strip' })).toBeVisible();
  await page.keyboard.press('KeyK');
  await page.keyboard.press('KeyZ');
  await expect(questions.getByRole('button', { name: 'Question 1: Open' })).toBeVisible();
  await page.keyboard.press('KeyD');
  await page.keyboard.press('KeyD');
  await page.reload();
  await expect(questions.getByRole('button', { name: 'Question 2: Defect' })).toBeVisible();

  await questions.getByRole('button', { name: 'Make a version from 2 answers' }).click();
  await expect(questions.getByRole('alert')).toContainText('Write your name first');
  await questions.getByLabel('Your name').fill('Lee');
  await questions.getByRole('button', { name: 'Make a version from 2 answers' }).click();
  await expect(page.getByText('line-2-v2 is made.')).toBeVisible({ timeout: 90_000 });
  await expect(page).toHaveURL(/version=line-2-v2/);
  await expect(questions.getByRole('button', { name: 'Question 1: Defect' })).toBeVisible();
  expect((await list(page)).active.id).toBe('');

  await figures.getByRole('button', { name: 'Activate' }).click();
  const dialog = page.getByRole('dialog', { name: 'Activate line-2-v2?' });
  await expect(dialog).toContainText('The change holds from the next coil on.');
  expect(await violations(page), 'with the question whether to activate').toEqual([]);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  expect((await list(page)).active.id).toBe('');
  await figures.getByRole('button', { name: 'Activate' }).click();
  await dialog.getByRole('button', { name: 'Activate' }).click();
  await expect(dialog).toBeHidden();
  const state = page.getByTestId('teach-state');
  await expect(state).toContainText('by Lee');
  expect((await list(page)).active).toMatchObject({ id: 'line-2-v2', by: 'Lee' });
  await expect.poll(async () => (await list(page)).at_work, { timeout: 90_000 }).toBe('line-2-v2');
  await expect(state).not.toContainText('takes over at the next coil');

  await page.getByRole('button', { name: '한국어' }).click();
  await page.getByRole('button', { name: '어둡게' }).click();
  await expect(state).toContainText('현재 라인');
  expect(await violations(page), 'Korean, dark').toEqual([]);
  await page.getByRole('button', { name: 'English' }).click();

  await state.getByRole('button', { name: 'Back to no teaching' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  const after = await list(page);
  expect(after.active).toMatchObject({ id: '', by: 'Lee' });
  expect(after.previous).toBeUndefined();
});

test('who decides on an old list is told, and shown what is there', async ({ page }) => {
  test.skip(
    !process.env.COILSIGHT_DATA,
    'the record of the appliance that COILSIGHT_URL names is not at hand',
  );
  await page.addInitScript(() => localStorage.setItem('coilsight.reviewer', 'Park'));
  await page.goto('/teach?version=line-2-v1');
  const figures = page.getByTestId('teach-figures');
  await figures.getByRole('button', { name: 'Activate' }).click();
  const other = await page.request.post('/api/v1/teachings/line-2-v2/activate', {
    data: { by: 'Jung' },
    headers: { 'If-Match': '*' },
  });
  expect(other.ok()).toBe(true);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Activate' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Somebody changed this meanwhile');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByTestId('teach-state')).toContainText('Jung');
  expect((await list(page)).active.id).toBe('line-2-v2');
  await page.request.post('/api/v1/teachings/off', { data: { by: 'Park' }, headers: { 'If-Match': '*' } });
});
