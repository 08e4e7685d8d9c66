/** The sound of a high alarm that nobody acknowledged. A browser lets a page sound only after somebody has touched it. */

import { line } from './line.svelte';
import { read, write } from './stored';

const KEY = 'coilsight.alarm.sound';
const EVERY_MS = 10_000;

let on = $state(read(KEY, ['on', 'off']) === 'on');
let context: AudioContext | undefined;

export const sound = {
  get on(): boolean {
    return on;
  },
  set(next: boolean): void {
    on = next;
    write(KEY, next ? 'on' : 'off');
    if (next) play(660, 0);
  },
};

function play(hertz: number, after: number): void {
  context ??= new AudioContext();
  void context.resume();
  const at = context.currentTime + after;
  const tone = new OscillatorNode(context, { frequency: hertz });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setTargetAtTime(0.25, at, 0.01);
  volume.gain.setTargetAtTime(0, at + 0.22, 0.02);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.4);
}

/** Whether an alarm asks for attention by sound now. */
export function mustSound(): boolean {
  return on && (line.live?.alarms ?? []).some((a) => a.state === 'active' && a.priority === 'high');
}

/** Sounds while it must, until the returned function is called. */
export function listenForAlarms(): () => void {
  let last = 0;
  const timer = setInterval(() => {
    if (!mustSound()) {
      last = 0;
      return;
    }
    if (Date.now() - last < EVERY_MS) return;
    last = Date.now();
    play(880, 0);
    play(660, 0.3);
    play(880, 0.6);
  }, 500);
  return () => clearInterval(timer);
}
