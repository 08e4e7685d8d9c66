import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** How long an appliance may take to prove its model and answer, on a busy machine. */
const READY_MS = 120_000;

/** The coil that is in the record before the appliance starts. */
export const REPLAYED = 'REPLAY-1';

/** The built appliance, as a command. */
export const binary = () => resolve(process.env.COILSIGHT_BIN ?? '../../bin/coilsight');

const run = (...command: string[]) => execFileSync(binary(), command, { stdio: 'pipe' });

/** Puts simulated coils into a record, densely strewn with defects. */
export function denseCoils(data: string, coils: readonly string[], metres: number, per100m: number): void {
  for (const [i, coil] of coils.entries()) {
    const strips = mkdtempSync(join(tmpdir(), 'coilsight-strips-'));
    try {
      const size = ['--metres', String(metres), '--defects', String(per100m), '--seed', String(i + 1)];
      run('simulate', '--out', strips, ...size);
      run('replay', '--coil', coil, '--data', data, strips);
    } finally {
      rmSync(strips, { recursive: true, force: true });
    }
  }
}

/** Replays a folder of strip pictures: real ones where they are beside the checkout, else rendered ones. */
function replayCoil(data: string): void {
  let pictures = resolve('../../../shared/data/severstal/strips');
  const rendered = mkdtempSync(join(tmpdir(), 'coilsight-strips-'));
  try {
    if (!existsSync(pictures)) {
      pictures = rendered;
      run('simulate', '--out', rendered, '--metres', '12');
    }
    run('replay', '--coil', REPLAYED, '--data', data, pictures);
  } finally {
    rmSync(rendered, { recursive: true, force: true });
  }
}

export interface Appliance {
  url: string;
  stop: () => Promise<void>;
}

/** So that a test need not wait for what is rare. */
const MILL = 'mill: {defects_per_100m: 10, defect_mix: even}\n';

/** Starts the built appliance on a record, which is removed where it does not start and when it is stopped. */
export async function serve(data: string, configuration = MILL): Promise<Appliance> {
  const port = await freePort();
  const config = join(data, 'e2e.yaml');
  writeFileSync(config, configuration);
  const child = spawn(binary(), ['run', '--config', config, '--data', data, '--listen', `127.0.0.1:${port}`]);
  const said: string[] = [];
  child.stdout.on('data', (text: Buffer) => said.push(text.toString()));
  child.stderr.on('data', (text: Buffer) => said.push(text.toString()));

  const url = `http://127.0.0.1:${port}`;
  try {
    await answer(`${url}/healthz`, child);
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(data, { recursive: true, force: true });
    throw new Error(`${binary()} does not serve: ${error}\n${said.join('')}`, { cause: error });
  }
  return {
    url,
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGINT');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Starts the built appliance on a record with one replayed coil and tells the tests its address. */
export default async function startAppliance(): Promise<() => Promise<void>> {
  if (process.env.COILSIGHT_URL) return async () => {};
  const data = mkdtempSync(join(tmpdir(), 'coilsight-e2e-'));
  replayCoil(data);
  const appliance = await serve(data);
  process.env.COILSIGHT_URL = appliance.url;
  process.env.COILSIGHT_DATA = data;
  return async () => {
    await appliance.stop();
    delete process.env.COILSIGHT_URL;
    delete process.env.COILSIGHT_DATA;
  };
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? done(address.port) : fail(new Error('no port')),
      );
    });
  });
}

async function answer(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + READY_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return;
    if (Date.now() > until) throw new Error(`no answer from ${url} in ${READY_MS / 1000} s`);
    await new Promise((done) => setTimeout(done, 200));
  }
}
