import type { Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { coilWithDefects, expect, test } from '../support/page';

/** Where the pictures of the guides go; `make screens` writes docs/screens. */
const OUT = process.env.COILSIGHT_SCREENS ?? 'test-results/screens';

const LANGUAGES = ['en', 'ko'] as const;

/** A page as the guides show it: how to come to the state that is shown. */
const SCREENS: Record<string, { theme: 'light' | 'dark'; go: (page: Page) => Promise<void> }> = {
  live: {
    theme: 'dark',
    async go(page) {
      await page.goto('/');
      await expect(page.locator('figure img, .below img').first()).toBeVisible();
      await page.waitForTimeout(2000); // some strip
    },
  },
  wall: {
    theme: 'dark',
    async go(page) {
      await page.setViewportSize({ width: 1920, height: 1080 });
      await page.goto('/wall');
      await expect(page.locator('.serious img').first()).toBeVisible({ timeout: 60_000 });
      await page.waitForTimeout(2000); // some strip
    },
  },
  alarms: {
    theme: 'dark',
    async go(page) {
      await page.goto('/alarms');
      await expect(page.getByTestId('standing')).toBeVisible();
    },
  },
  coils: {
    theme: 'light',
    async go(page) {
      await page.goto('/coils');
      await expect(page.getByRole('row').nth(1)).toBeVisible();
    },
  },
  coil: {
    theme: 'light',
    async go(page) {
      const coil = await coilWithDefects(page);
      await page.goto(`/coils/${coil.id}`);
      await expect(page.getByTestId('shown')).toContainText(/\d/);
      await page.getByRole('application').focus();
      await page.keyboard.press('KeyJ');
      await expect(page.getByRole('img').first()).toBeVisible();
    },
  },
  pictures: {
    theme: 'light',
    async go(page) {
      const coil = await coilWithDefects(page, 15);
      await page.goto(`/coils/${coil.id}?show=pictures&order=severity`);
      await expect(page.getByTestId('gallery').getByRole('img').first()).toBeVisible();
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    },
  },
  review: {
    theme: 'light',
    async go(page) {
      await coilWithDefects(page);
      await page.goto('/review');
      await expect(page.getByTestId('queue')).toBeVisible();
      await expect(page.getByRole('img').first()).toBeVisible();
      await page.waitForTimeout(800); // the pictures beside it
    },
  },
  trends: {
    theme: 'light',
    async go(page) {
      await page.goto('/trends');
      await expect(page.getByTestId('rate')).toBeVisible();
      await page.waitForTimeout(500);
    },
  },
  grading: {
    theme: 'light',
    async go(page) {
      await page.goto('/grading');
      await expect(page.getByTestId('recipe')).toBeVisible();
    },
  },
  cameras: {
    theme: 'dark',
    async go(page) {
      await page.goto('/cameras');
      await expect(page.locator('polyline').first()).toHaveAttribute('points', /\d/);
    },
  },
};

for (const lang of LANGUAGES) {
  test(`the pages of the guides (${lang})`, async ({ page }) => {
    test.setTimeout(180_000);
    mkdirSync(OUT, { recursive: true });
    for (const [name, { theme, go }] of Object.entries(SCREENS)) {
      await page.addInitScript(
        ([l, c]) => {
          localStorage.setItem('coilsight.language', l!);
          localStorage.setItem('coilsight.theme', c!);
        },
        [lang, theme],
      );
      await go(page);
      await expect(page.locator('html')).toHaveAttribute('lang', lang);
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: `${OUT}/${name}.${lang}.jpg`, type: 'jpeg', quality: 72 });
    }
  });
}
