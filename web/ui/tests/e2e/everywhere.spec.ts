import { coilWithDefects, expect, test, violations } from '../support/page';

test('the language changes on every page and is kept', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: '한국어' }).click();
  await expect(page.getByRole('link', { name: '실시간' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  for (const path of [
    '/coils',
    '/review',
    '/alarms',
    '/trends',
    '/grading',
    '/teach',
    '/cameras',
    '/about',
    '/display',
    '/',
  ]) {
    await page.goto(path);
    await expect(page.getByRole('link', { name: '코일', exact: true })).toBeVisible();
  }
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('link', { name: 'Coils', exact: true })).toBeVisible();
});

test('a Korean browser is answered in Korean', async ({ browser }) => {
  const context = await browser.newContext({ locale: 'ko-KR', baseURL: process.env.COILSIGHT_URL });
  const page = await context.newPage();
  await page.goto('/coils');
  await expect(page.getByRole('heading', { name: '코일' })).toBeVisible();
  await context.close();
});

test('the dark theme is kept and darkens the page', async ({ page }) => {
  await page.goto('/coils');
  await page.getByRole('button', { name: 'Dark' }).click();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [r, g, b] = background.match(/\d+/g)!.map(Number);
  expect(r! + g! + b!).toBeLessThan(150);
});

test('Hangul is at least 16 px high', async ({ page }) => {
  const coil = await coilWithDefects(page);
  await page.addInitScript(() => localStorage.setItem('coilsight.language', 'ko'));
  for (const path of [
    '/',
    '/coils',
    `/coils/${coil.id}`,
    '/review',
    '/alarms',
    '/trends',
    '/grading',
    '/teach',
    '/cameras',
    '/about',
    '/display',
    '/wall',
  ]) {
    await page.goto(path);
    await expect(
      page.getByRole('link', { name: path === '/wall' ? '벽면 화면 닫기' : '실시간' }),
    ).toBeVisible();
    const small = await page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const size = Number.parseFloat(getComputedStyle(node.parentElement!).fontSize);
        if (/[가-힣]/.test(node.textContent!) && size < 16) found.push(`${node.textContent} (${size} px)`);
      }
      return found;
    });
    expect(small, path).toEqual([]);
  }
});

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing in the ${theme} theme`, async ({ page }) => {
    test.setTimeout(180_000);
    const coil = await coilWithDefects(page);
    await page.addInitScript((t) => localStorage.setItem('coilsight.theme', t), theme);
    const ready = {
      '/': page.getByText('Frame ledger'),
      '/coils': page.locator('tbody tr').first(),
      [`/coils/${coil.id}`]: page.getByTestId('shown'),
      '/coils/NO-SUCH-COIL': page.getByText('is not recorded'),
      '/review': page.getByTestId('queue'),
      '/teach': page.getByTestId('teach-state'),
      '/alarms': page.getByTestId('standing'),
      '/trends': page.getByTestId('reviews'),
      '/grading': page.getByTestId('recipe'),
      '/cameras': page.getByTestId('camera-mill-top'),
      '/about': page.getByText('Crops per second'),
      '/display': page.getByTestId('bar'),
      '/wall': page.getByTestId('coil'),
    };
    for (const [path, locator] of Object.entries(ready)) {
      await page.goto(path);
      await expect(locator).toBeVisible();
      expect(await violations(page), path).toEqual([]);
    }
    await page.goto(`/coils/${coil.id}`);
    await page.locator('tbody button').first().click();
    await expect(page.getByTestId('defect').locator('dl')).toBeVisible();
    expect(await violations(page), 'with a defect open').toEqual([]);
  });
}

test('the header is one line high at 1280 px, however much waits', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  for (const lang of ['en', 'ko']) {
    await page.addInitScript((l) => localStorage.setItem('coilsight.language', l), lang);
    await page.goto('/about');
    await expect(page.locator('html')).toHaveAttribute('lang', lang);
    await page.evaluate(() => document.fonts.ready);
    const tops = await page
      .locator('header')
      .first()
      .evaluate((header) => {
        for (const link of header.querySelectorAll('nav a[href="/review"], nav a[href="/alarms"]')) {
          link.querySelector('.count')?.remove();
          const count = document.createElement('span');
          count.className = `${/svelte-\w+/.exec(link.parentElement!.className)?.[0] ?? ''} count`;
          count.textContent = '999';
          link.append(count);
        }
        return [...header.children].map((e) => e.getBoundingClientRect()).map((r) => (r.top + r.bottom) / 2);
      });
    expect(Math.max(...tops) - Math.min(...tops), lang).toBeLessThan(20);
  }
});
