import { expect, test } from 'vitest';
import { GROUPS, HUES, lookOf, RINGS, STRIP_GREY, type Theme } from '../../src/lib/palette';
import { ciede2000, contrast, lab, linear, luminance, seenBy, VISION } from '../support/colour';

const themes: Theme[] = ['light', 'dark'];

interface Pair {
  a: string;
  b: string;
  distance: number;
}

function closest(theme: Theme, vision: string): Pair {
  let least: Pair = { a: '', b: '', distance: Infinity };
  for (const [i, a] of GROUPS.entries()) {
    for (const b of GROUPS.slice(i + 1)) {
      const [p, q] = [a, b].map((g) => lab(seenBy(linear(HUES[theme][g]), VISION[vision]!)));
      const distance = ciede2000(p!, q!);
      if (distance < least.distance) least = { a, b, distance };
    }
  }
  return least;
}

test('CIEDE2000 agrees with the published pairs', () => {
  // Pairs 1, 7, 17 and 25 of the data of Sharma, Wu and Dalal (2005).
  expect(ciede2000([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4);
  expect(ciede2000([50, 0, 0], [50, -1, 2])).toBeCloseTo(2.3669, 4);
  expect(ciede2000([50, 2.5, 0], [73, 25, -18])).toBeCloseTo(27.1492, 4);
  expect(ciede2000([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387])).toBeCloseTo(1.2644, 4);
});

test.each(themes)('hues of the %s theme stay apart for every kind of colour vision', (theme) => {
  for (const vision of Object.keys(VISION)) {
    const { a, b, distance } = closest(theme, vision);
    console.log(`${theme} ${vision}: least CIEDE2000 distance ${distance.toFixed(1)} (${a} and ${b})`);
    expect(distance).toBeGreaterThan(12);
  }
});

test.each(themes)('every hue of the %s theme stands out from the strip', (theme) => {
  for (const group of GROUPS) {
    const ratio = contrast(HUES[theme][group], STRIP_GREY[theme]);
    const grey = Math.round(100 * luminance(linear(HUES[theme][group])));
    console.log(`${theme} ${group}: contrast ${ratio.toFixed(2)} on the strip, printed grey ${grey} %`);
    expect(ratio).toBeGreaterThanOrEqual(3);
  }
  for (const ring of Object.values(RINGS[theme]))
    expect(contrast(ring, STRIP_GREY[theme])).toBeGreaterThan(3);
});

test('no two groups share a shape', () => {
  const classes = ['scratch', 'roll_mark', 'scale', 'inclusion', 'edge_crack', 'hole', 'stain', 'patch', 'x'];
  const shapes = classes.map((c) => lookOf(c).shape);
  expect(new Set(shapes).size).toBe(classes.length);
});

test.each([
  ['surface_scratch', 'scratch'],
  ['finishing_roll_printing', 'roll'],
  ['oxide_scale_of_plate_system', 'scale'],
  ['oxide_scale_of_temperature_system', 'scale'],
  ['slag_inclusion', 'inclusion'],
  ['edge_crack', 'edge'],
  ['hole', 'pit'],
  ['iron_sheet_ash', 'stain'],
  ['red_iron', 'patch'],
  ['unclassified', 'other'],
  ['a_class_of_another_model', 'other'],
])('class %s belongs to group %s', (id, group) => {
  expect(lookOf(id).group).toBe(group);
});
