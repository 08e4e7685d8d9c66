import { defineConfig } from '@playwright/test';

/**
 * Drives the appliance itself in the browser of the system; nothing is downloaded. COILSIGHT_URL names one
 * that already runs, COILSIGHT_BIN another binary than the built one.
 */
export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  workers: 1, // one appliance, and its live page must keep up
  timeout: 90_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  globalSetup: './tests/support/appliance.ts',
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
