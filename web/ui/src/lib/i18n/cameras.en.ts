/** What the cameras page says in English. */

import { plural } from './plural';

export const cameras = {
  title: 'Cameras',
  about: 'What each camera sees across the strip, how it is set up, and how it is calibrated.',
  none: 'No cameras are configured',
  device: 'Device',
  notFound: 'not found yet',
  simulatedCamera: 'Simulated camera',
  view: 'Looks at',
  viewOf: (from: string, to: string, pixels: string, mm: string) =>
    `${from} to ${to} mm across the line; ${pixels} pixels of ${mm} mm`,
  transfer: 'Transfer since start',
  frames: (n: string) => plural(n, 'frame', 'frames'),
  incomplete: (n: string) => `${n} damaged`,
  lostFrames: (n: string) => `${n} lost`,
  packets: (missing: string, resent: string) => `${missing} packets missing, ${resent} sent again`,
  reconnects: (n: string) => plural(n, 'reconnection', 'reconnections'),
  profile: 'Brightness across',
  raw: 'as the camera sees it',
  corrected: 'after the flat field',
  median: 'Median grey',
  cut: 'Cut off at white',
  dark: 'Below grey 10',
  sharpness: 'Sharpness',
  exposureGood: 'Exposure is right',
  exposureDark: 'Too dark: open the aperture or lengthen the exposure',
  exposureBright: 'Overexposed: close the aperture or shorten the exposure',
  noFrames: 'No frames',
  flatField: 'Flat field',
  never: 'Never calibrated: the lamp’s own unevenness stays in the picture',
  simulated: 'From the simulator’s own target',
  version: (n: string, at: string, by: string) => `Version ${n}, ${at}, by ${by}`,
  uneven: (percent: string) => `columns within ${percent} % of each other on the target`,
  waits: (n: string) => `Version ${n} takes over at the next coil`,
  take: 'Flat field…',
  takeGeometry: 'Geometry…',
  takeTitle: (camera: string) => `Flat field of camera ${camera}`,
  step1: 'Stop the strip, or wait until none is under the camera.',
  step2: 'Lay the white target under it, over the whole width; dust on it does no harm, shadows do.',
  step3: 'Look at the curve: even, between grey 100 and 230, nothing cut off.',
  step4: 'Take the reference. Nothing changes for a coil that runs.',
  doTake: 'Take the reference',
  taken: (n: string, percent: string) =>
    `Version ${n} is kept; columns are within ${percent} % of each other.`,
  geometryTitle: (camera: string) => `Geometry of camera ${camera}`,
  geometry1:
    'Print the target (coilsight calibrate target), join its pages, and fix it flat on the strip or in its place.',
  geometry2:
    'Bar 1 lies on the operator side. The picture may show a part of the target; 12 bars are enough.',
  geometry3:
    'Let it pass slowly, so that the bars’ ends are seen too; a target that stands tells nothing of the lines.',
  geometry4: 'Take the reference. It is taken up when the appliance starts next.',
  geometryTaken: (n: string, rms: string) =>
    `Geometry version ${n} is kept; bars lie within ${rms} mm. Start the appliance again to take it up.`,
  geometry: 'Geometry',
  configured: 'From the configuration',
  history: 'Calibrations',
  kind: {
    flatfield: 'Flat field',
    geometry: 'Geometry',
    encoder: 'Encoder',
    alignment: 'Alignment',
    focus: 'Focus',
  },
  faults: 'Not used',
};
