import { expect, test, violations } from '../support/page';

/** The newest coil that has ended. */
async function ended(request: { get(url: string): Promise<{ json(): Promise<unknown> }> }): Promise<string> {
  const { coils } = (await (await request.get('/api/v1/coils?state=closed&limit=1')).json()) as {
    coils: { id: string }[];
  };
  return coils[0]?.id ?? '';
}

test('a coil is cut on the map and decided, with a reason where it departs from the machine', async ({
  page,
}) => {
  test.setTimeout(240_000);
  await expect.poll(() => ended(page.request), { timeout: 180_000 }).not.toBe('');
  const id = await ended(page.request);
  await page.goto(`/coils/${id}`);
  const cuts = page.getByTestId('cut-plan');
  await cuts.getByLabel('Shortest piece, m').fill('2');
  await cuts.getByRole('button', { name: 'Plan', exact: true }).click();
  await expect(cuts.getByRole('status')).toContainText(/piece|Nothing/);
  expect(await violations(page), 'cut plan').toEqual([]);
  const old = cuts.getByText('has changed since: plan again');
  await expect(old).toHaveCount(0);
  await cuts.getByLabel('To reach').selectOption('hold');
  await expect(old).toBeVisible();
  await cuts.getByRole('button', { name: 'Plan', exact: true }).click();
  await expect(old).toHaveCount(0);

  const decision = page.getByTestId('decision');
  await expect(decision).toContainText('Nobody has decided yet');
  await decision.getByRole('button', { name: 'Reject…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Reject the coil' });
  expect(await violations(page), 'decision').toEqual([]);
  await dialog.getByLabel('Your name').fill('Lee');
  await dialog.getByRole('button', { name: 'Reject', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('needs one');
  await dialog.getByLabel('Reason').fill('edge torn in store');
  await dialog.getByRole('button', { name: 'Reject', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(decision).toContainText(/Rejected .*by Lee/);
  await expect(decision).toContainText('“edge torn in store”');
  await expect(old).toBeVisible();
  const coil = (await (await page.request.get(`/api/v1/coils/${id}`)).json()) as {
    grade: string;
    decision: { disposition: string; machine_grade: string };
  };
  expect(coil.decision).toMatchObject({ disposition: 'rejected', machine_grade: coil.grade });
});

test('a recipe is edited, tried on past coils and published as the next version', async ({ page }) => {
  test.setTimeout(240_000);
  await expect.poll(() => ended(page.request), { timeout: 180_000 }).not.toBe('');
  await page.goto('/grading?recipe=hot-strip');
  const recipe = page.getByTestId('recipe');
  await expect(recipe).toContainText('from a file');
  expect(await violations(page), 'recipe').toEqual([]);
  await page.getByRole('button', { name: 'Edit as the next version' }).click();
  const draft = page.getByTestId('draft');
  await draft.getByLabel('Name', { exact: true }).first().fill('deep-drawing');
  await draft.getByLabel('For customers').fill('Hanbit, Saebyeok');
  await draft.getByTestId('rule').first().getByLabel('Count').fill('2');
  await expect(draft.getByRole('heading', { level: 2 })).toContainText('deep-drawing v1');
  expect(await violations(page), 'draft').toEqual([]);

  // What is not possible is said before anything is graded.
  await draft.getByTestId('rule').first().getByLabel('Count').fill('0');
  await draft.getByRole('button', { name: 'Try on past coils' }).click();
  await expect(draft.getByRole('alert')).toContainText('0 defects cannot break a rule');
  await expect(draft.getByRole('button', { name: 'Publish…' })).toBeDisabled();

  await draft.getByTestId('rule').first().getByLabel('Count').fill('1000');
  await draft.getByRole('button', { name: 'Try on past coils' }).click();
  await expect(page.getByTestId('recipe-test')).toContainText(/coils? graded; \d+ would change grade/);
  await draft.getByRole('button', { name: 'Publish…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Publish deep-drawing v1' });
  await dialog.getByLabel('Your name').fill('Lee');
  await dialog.getByLabel('What changed and why').fill('for two customers');
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click();
  await expect(page.getByText('deep-drawing v1 is published.')).toBeVisible();
  await expect(recipe).toContainText(/published by Lee, .* – for two customers/);
  await expect(recipe).toContainText('Hanbit, Saebyeok');
  await page.getByRole('button', { name: '한국어' }).click();
  expect(await violations(page), 'Korean').toEqual([]);
});

test('a draft that somebody overtook becomes the version after theirs', async ({ page }) => {
  await page.goto('/grading?recipe=hot-strip');
  await page.getByRole('button', { name: 'Edit as the next version' }).click();
  const draft = page.getByTestId('draft');
  await draft.getByLabel('Name', { exact: true }).first().fill('overtaken');
  // A number is typed as one writes it.
  const confidence = draft.getByTestId('rule').first().getByLabel('from confidence');
  await confidence.press('Control+a');
  await confidence.pressSequentially('0.65');
  await expect(confidence).toHaveValue('0.65');
  await draft.getByRole('button', { name: 'Try on past coils' }).click();
  await expect(page.getByTestId('recipe-test')).toBeVisible();

  const { recipes } = (await (await page.request.get('/api/v1/recipes')).json()) as { recipes: object[] };
  const theirs = { recipe: { ...recipes[0], name: 'overtaken', version: 1 }, by: 'Jung' };
  expect((await page.request.post('/api/v1/recipes', { data: theirs })).status()).toBe(201);

  await draft.getByRole('button', { name: 'Publish…' }).click();
  const first = page.getByRole('dialog', { name: 'Publish overtaken v1' });
  await first.getByLabel('Your name').fill('Lee');
  await first.getByRole('button', { name: 'Publish', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('alert')).toContainText('has version 1');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(draft.getByRole('heading', { level: 2 })).toContainText('overtaken v2');
  await draft.getByRole('button', { name: 'Try on past coils' }).click();
  await draft.getByRole('button', { name: 'Publish…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Publish', exact: true }).click();
  await expect(page.getByText('overtaken v2 is published.')).toBeVisible();
});
