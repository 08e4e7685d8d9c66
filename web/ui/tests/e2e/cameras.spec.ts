import { expect, test, violations } from '../support/page';

test('a camera is looked at and its flat field taken, which a later coil names', async ({ page }) => {
  test.setTimeout(240_000);
  await page.goto('/');
  await page.getByRole('link', { name: 'Cameras' }).click();
  const top = page.getByTestId('camera-mill-top');
  await expect(top).toContainText('From the simulator’s own target');
  await expect(top).toContainText('pixels of 0.500 mm');
  // The curve is drawn anew with what the camera sees.
  const curve = top.locator('polyline').last();
  await expect(curve).toHaveAttribute('points', /\d/);
  const seen = await curve.getAttribute('points');
  await expect(curve).not.toHaveAttribute('points', seen!);
  await expect(top).toContainText('Median grey');
  expect(await violations(page), 'cameras').toEqual([]);

  await top.getByRole('button', { name: 'Flat field…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Flat field of camera mill-top' });
  await expect(dialog).toContainText('Lay the white target under it');
  expect(await violations(page), 'guide').toEqual([]);
  await dialog.getByRole('button', { name: 'Take the reference' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Write your name first');
  await dialog.getByLabel('Your name').fill('Lee');
  await dialog.getByRole('button', { name: 'Take the reference' }).click();
  await expect(dialog).toBeHidden();
  await expect(top.getByRole('status')).toContainText(
    /Version 1 is kept; columns are within \d+\.\d % of each other/,
  );
  await expect(top).toContainText(/Version 1, .*, by Lee/);

  await top.getByRole('button', { name: 'Check…' }).click();
  const check = page.getByRole('dialog', { name: 'Check camera mill-top' });
  await expect(check).toContainText('Lay the piece');
  expect(await violations(page), 'check').toEqual([]);
  await check.getByRole('button', { name: 'Compare' }).click();
  await expect(check).toBeHidden();
  await expect(top).toContainText(/as on the day of calibration; .*by Lee, White target/);

  // Strip is no target, and the reason is told where it was asked for.
  await top.getByRole('button', { name: 'Geometry…' }).click();
  const geometry = page.getByRole('dialog', { name: 'Geometry of camera mill-top' });
  await expect(geometry).toContainText('coilsight calibrate target');
  await geometry.getByRole('button', { name: 'Take the reference' }).click();
  await expect(geometry.getByRole('alert')).toContainText(/target|bars|agree|contrast/);
  await geometry.getByRole('button', { name: 'Cancel' }).click();

  // What the simulated mill rolls is another surface on either side.
  await top.getByRole('button', { name: 'Align…' }).click();
  const align = page.getByRole('dialog', { name: 'Align camera mill-top' });
  await expect(align.getByLabel('With camera')).toHaveValue('mill-bottom');
  expect(await violations(page), 'alignment').toEqual([]);
  await align.getByRole('button', { name: 'Compare the pictures' }).click();
  await expect(align.getByRole('alert')).toContainText('nothing in the two pictures is clearly the same', {
    timeout: 15_000,
  });
  await align.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByTestId('encoder')).toContainText('0.50000 mm of strip');

  // A coil that runs keeps what it began with; the next one names the version.
  const named = async () => {
    const { coils } = (await (await page.request.get('/api/v1/coils?limit=1')).json()) as {
      coils: { id: string }[];
    };
    const coil = (await (await page.request.get(`/api/v1/coils/${coils[0]!.id}`)).json()) as {
      calibrations?: { camera: string; kind: string; version: number }[];
    };
    return coil.calibrations?.find((k) => k.camera === 'mill-top');
  };
  await expect.poll(named, { timeout: 120_000 }).toMatchObject({ kind: 'flatfield', version: 1 });

  await page.getByRole('button', { name: '한국어' }).click();
  await expect(top).toContainText('밝기 평탄화');
  expect(await violations(page), 'Korean').toEqual([]);
});

test('what cannot be done with a camera is said in a sentence', async ({ page }) => {
  const unknown = await page.request.post('/api/v1/cameras/nowhere/flat-field', { data: { by: 'Lee' } });
  expect(unknown.status()).toBe(404);
  const nameless = await page.request.post('/api/v1/cameras/mill-top/flat-field', { data: { by: ' ' } });
  expect(nameless.status()).toBe(422);
});
