import { readFileSync } from 'node:fs';
import { REPLAYED } from '../support/appliance';
import { coilWithDefects, colours, expect, test, violations } from '../support/page';

const MAP = '[data-testid=map]';

test('the map is drawn with panels, symbols and hatching', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  await expect(page.getByTestId('shown')).toHaveText(/\d+ of \d+ defects/);
  await expect.poll(() => colours(page, MAP)).toBeGreaterThan(5);
});

test('a click on a symbol opens the picture and the numbers', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  await expect(page.getByTestId('shown')).toBeVisible();
  const at = await page.locator(MAP).evaluate((canvas: HTMLCanvasElement) => {
    // The most colourful pixel is on a symbol: panels, hatching and axes are grey.
    const { data, width } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let best = { x: 0, y: 0, chroma: 0 };
    for (let i = 0; i < data.length; i += 4) {
      const rgb = [data[i]!, data[i + 1]!, data[i + 2]!];
      const chroma = Math.max(...rgb) - Math.min(...rgb);
      if (chroma > best.chroma) best = { x: (i / 4) % width, y: Math.floor(i / 4 / width), chroma };
    }
    return best;
  });
  expect(at.chroma).toBeGreaterThan(30);
  await page.getByRole('application').click({ position: at });
  const panel = page.getByTestId('defect');
  await expect(panel).toBeVisible();
  await expect(panel.getByText('from the head end')).toBeVisible();
  await expect(panel.locator('img, .none')).toBeVisible();
  await expect(page).toHaveURL(/defect=\d+/);
});

test('J and K step through the defects, with a Hangul input method too', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  await expect(page.getByTestId('shown')).toBeVisible();
  const press = (key: string, code: string) =>
    page.evaluate(
      ([k, c]) => {
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: k, code: c, bubbles: true }));
      },
      [key, code],
    );
  await press('ㅓ', 'KeyJ');
  const panel = page.getByTestId('defect');
  await expect(panel).toBeVisible();
  const first = page.url();
  await press('ㅓ', 'KeyJ');
  await expect(page).not.toHaveURL(first);
  await press('ㅏ', 'KeyK');
  await expect(page).toHaveURL(first);
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
});

test('zoom, filter and defect stand in the address and survive a reload', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.getByRole('button', { name: 'Top', exact: true }).click();
  await page.locator('tbody button').first().click();
  await expect(page).toHaveURL(/side=top/);
  await expect(page).toHaveURL(/defect=\d+/);
  await expect(page).toHaveURL(/z=/);
  await page.reload();
  await expect(page.getByTestId('defect')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Top', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await expect(page.getByRole('button', { name: 'Whole coil' })).toBeEnabled();
});

test('the list sorts, shows pictures, and the keys step through it in its order', async ({ page }) => {
  const coil = await coilWithDefects(page, 6);
  // While it runs, defects come that are worse or larger.
  const state = async () =>
    ((await (await page.request.get(`/api/v1/coils/${coil.id}`)).json()) as typeof coil).state;
  await expect.poll(state, { timeout: 60_000 }).toBe('closed');
  await page.goto(`/coils/${coil.id}`);
  const severities = () => page.locator('tbody td:nth-child(6)').allTextContents();
  await page.getByRole('columnheader', { name: 'Severity' }).getByRole('button').click();
  await expect(page).toHaveURL(/order=severity/);
  const sorted = (await severities()).map((s) => Number.parseInt(s, 10));
  expect(sorted.length).toBeGreaterThan(3);
  expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
  await expect(page.getByRole('columnheader', { name: 'Severity' })).toHaveAttribute(
    'aria-sort',
    'descending',
  );

  await page.getByLabel('Order').selectOption('Largest first');
  await page.getByRole('button', { name: 'Pictures' }).click();
  await expect(page).toHaveURL(/show=pictures/);
  const tiles = page.getByTestId('gallery').getByRole('button');
  await expect(tiles.first().locator('img')).toHaveJSProperty('complete', true);
  expect(
    await tiles
      .first()
      .locator('img')
      .evaluate((i: HTMLImageElement) => i.naturalWidth),
  ).toBeGreaterThan(0);
  const sizes = await tiles.evaluateAll((all) =>
    all.map((b) =>
      /([\d.,]+) × ([\d.,]+) mm/
        .exec(b.textContent)!
        .slice(1)
        .map((n) => Number(n.replace(',', ''))),
    ),
  );
  const areas = sizes.map(([a, b]) => a! * b!);
  // What is written is rounded to a tenth.
  for (let k = 1; k < areas.length; k++) expect(areas[k]!).toBeLessThan(areas[k - 1]! * 1.05 + 1);

  await page.keyboard.press('KeyJ');
  await expect(tiles.first()).toHaveAttribute('aria-current', 'true');
  await page.keyboard.press('KeyJ');
  await expect(tiles.nth(1)).toHaveAttribute('aria-current', 'true');
  await page.reload();
  await expect(tiles.nth(1)).toHaveAttribute('aria-current', 'true');
  expect(await violations(page), 'gallery').toEqual([]);
  await tiles.nth(1).click();
  await expect(page.getByTestId('defect')).toBeHidden();
});

test('another order begins with its first, and pictures wait for a map that is dragged', async ({ page }) => {
  // More than the mill gives; their pictures are not there.
  const { body, headers } = await page.request
    .get(`/api/v1/coils/${REPLAYED}/map.bin`)
    .then(async (r) => ({ body: await r.body(), headers: r.headers() }));
  await page.route('**/map.bin*', (r) => r.fulfill({ body: strewn(body, 20_000), headers }));
  let pictures = 0;
  await page.route('**/defects/*/image', (r) => ((pictures += 1), r.fulfill({ status: 404 })));
  await page.goto(`/coils/${REPLAYED}`);
  const list = page.getByRole('region', { name: 'Defects', exact: true });
  await list.getByRole('button', { name: 'Next page' }).click();
  await expect(list.getByRole('status')).toContainText('26–50');
  await list.getByLabel('Order').selectOption('Worst first');
  await expect(list.getByRole('status')).toContainText('1–25');

  await list.getByLabel('Order').selectOption('Along the strip');
  await list.getByRole('button', { name: 'Pictures' }).click();
  for (let i = 0; i < 2; i++) await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.waitForTimeout(1000); // at rest
  pictures = 0;
  const map = (await page.getByRole('application').boundingBox())!;
  await page.mouse.move(map.x + 600, map.y + 100);
  await page.mouse.down();
  await page.mouse.move(map.x + 100, map.y + 100, { steps: 50 });
  await page.mouse.up();
  await page.waitForTimeout(1000);
  expect(pictures).toBeGreaterThan(0);
  expect(pictures).toBeLessThan(5 * 36);
});

/** The map of a coil as another of 5,000 m with so many defects, all with a picture. */
function strewn(of: Buffer, n: number): Buffer {
  const length = 5_000_000; // mm
  const table = Buffer.from('["hole"]');
  const start = of.readUInt32LE(4);
  const b = Buffer.alloc(start + n * 29 + table.length);
  of.copy(b, 0, 0, start);
  b.writeUInt32LE(n, 8);
  b.writeDoubleLE(length, 16);
  b.writeUInt32LE(table.length, 12);
  for (let i = 0; i < n; i++) {
    b.writeUInt32LE(i + 1, start + 8 * i);
    b.writeFloatLE((i / n) * length, start + n * 8 + 4 * i);
    b.writeFloatLE(100, start + n * 12 + 4 * i);
    b[start + n * 25 + i] = i % 5;
    b[start + n * 27 + i] = 1;
  }
  table.copy(b, start + n * 29);
  return b;
}

test('wheel and drag move the map, and the button takes it back', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  const whole = page.getByRole('button', { name: 'Whole coil' });
  await expect(whole).toBeDisabled();
  const box = (await page.getByRole('application').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 4);
  await page.mouse.wheel(0, -900);
  await expect(page).toHaveURL(/x=\d+/);
  const zoomed = page.url();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 120, box.y + box.height / 4, { steps: 4 });
  await page.mouse.up();
  await expect(page).not.toHaveURL(zoomed);
  await whole.click();
  await expect(page).not.toHaveURL(/x=\d+/);
  await expect(whole).toBeDisabled();
});

test('an area is chosen by a drag or a key, and narrows the list and the legend', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  const shown = page.getByTestId('shown');
  const all = await shown.textContent();
  await page.getByRole('button', { name: 'Choose an area' }).click();
  const box = (await page.getByRole('application').boundingBox())!;
  await page.mouse.move(box.x + 130, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 3, box.y + box.height / 3, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/box=top/);
  await expect(shown).not.toHaveText(all!);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Area chosen ×' })).toBeVisible();
  await page.getByRole('button', { name: 'Area chosen ×' }).click();
  await expect(page).not.toHaveURL(/box=/);
  // By keys alone, with a Hangul input method on: what is shown is chosen, and let go.
  await page.getByRole('application').focus();
  await page.keyboard.press('Equal');
  await page.evaluate(() =>
    document.activeElement!.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'ㅠ', code: 'KeyB', bubbles: true }),
    ),
  );
  await expect(page).toHaveURL(/box=both/);
  expect(await violations(page), 'area').toEqual([]);
});

test('a second finger zooms the map and marks no area', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.goto(`/coils/${coil.id}`);
  const map = page.getByRole('application');
  await expect(map).toBeVisible();
  await page.getByRole('button', { name: 'Choose an area' }).click();
  const box = (await map.boundingBox())!;
  const at = (id: number, x: number, y: number) => ({ id, x: box.x + x, y: box.y + y });
  const touch = await page.context().newCDPSession(page);
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: ReturnType<typeof at>[]) =>
    touch.send('Input.dispatchTouchEvent', { type, touchPoints });
  await send('touchStart', [at(1, 300, 60)]);
  await send('touchMove', [at(1, 340, 80)]);
  await send('touchStart', [at(1, 340, 80), at(2, 400, 80)]);
  await send('touchMove', [at(1, 340, 80), at(2, 600, 80)]);
  await send('touchEnd', [at(1, 340, 80)]);
  await send('touchEnd', []);
  await expect(page).toHaveURL(/z=/);
  expect(page.url()).not.toContain('box=');
});

test('a graded coil says why', async ({ page }) => {
  test.setTimeout(240_000);
  let id = '';
  await expect
    .poll(
      async () => {
        const response = await page.request.get('/api/v1/coils?state=closed&limit=1');
        id = ((await response.json()) as { coils: { id: string }[] }).coils[0]?.id ?? '';
        return id;
      },
      { timeout: 200_000, message: 'a closed coil' },
    )
    .toBeTruthy();
  await page.goto(`/coils/${id}`);
  await expect(page.getByRole('heading', { name: 'Why this grade' })).toBeVisible();
  await expect(page.getByText('Longest stretch not inspected')).toBeVisible();
  await expect(page.locator('.badge.large')).toHaveText(/Prime|Second|Hold|Block/);
});

for (const [language, names] of Object.entries({
  en: ['Report (PDF)', 'Defects (XLSX)', 'Defects (CSV)'],
  ko: ['보고서(PDF)', '결함(XLSX)', '결함(CSV)'],
})) {
  test(`report and lists are saved as files (${language})`, async ({ page }) => {
    const coil = await coilWithDefects(page);
    await page.addInitScript((l) => localStorage.setItem('coilsight.language', l), language);
    await page.goto(`/coils/${coil.id}`);
    const files = page.getByRole('navigation', {
      name: language === 'ko' ? '이 코일의 파일' : 'Files of this coil',
    });
    const saved: Buffer[] = [];
    for (const [i, end] of [`report-${language}.pdf`, 'defects.xlsx', 'defects.csv'].entries()) {
      const download = page.waitForEvent('download');
      await files.getByRole('link', { name: names[i]!, exact: true }).click();
      expect((await download).suggestedFilename()).toBe(`coil-${coil.id}-${end}`);
      saved.push(readFileSync(await (await download).path()));
    }
    const [pdf, xlsx, csv] = saved as [Buffer, Buffer, Buffer];
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.subarray(-6).toString()).toContain('%%EOF');
    expect(xlsx.subarray(0, 2).toString()).toBe('PK');
    // The byte order mark, a header, and a line for each defect; a running coil may have more by now.
    const lines = csv.toString('utf8').trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^\uFEFFid,side,along_m,/);
    expect(lines.length).toBeGreaterThan(coil.counts.defects);
  });
}
