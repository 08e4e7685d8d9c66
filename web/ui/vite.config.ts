import { svelte } from '@sveltejs/vite-plugin-svelte';
import { existsSync, readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

/** Emits the licence texts of what the page ships, since the bundle carries their code. */
function licences(packages: string[]): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const texts = packages.map((name) => {
        const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
        return `${name} ${version}\n\n${licenceText(name).trim()}\n`;
      });
      const source = texts.join(`\n${'-'.repeat(80)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  };
}

function licenceText(name: string): string {
  for (const file of ['LICENSE', 'LICENSE.md', 'dist/LICENSE.txt']) {
    const path = `node_modules/${name}/${file}`;
    if (existsSync(path)) return readFileSync(path, 'utf8');
  }
  throw new Error(`package ${name} carries no licence text`);
}

/** The appliance that `npm run dev` speaks to. */
const appliance = process.env.COILSIGHT_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), licences(['svelte', 'kdbush', 'pretendard', 'uplot'])],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // a font inlined as data: would be loaded whether it is needed or not
    emptyOutDir: true,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': appliance, '/docs': appliance, '/openapi.json': appliance } },
});
