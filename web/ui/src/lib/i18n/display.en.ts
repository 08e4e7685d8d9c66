/** What the wall view and the settings of a screen say in English. */

export const display = {
  title: 'This screen',
  about: 'Kept in this browser, for this screen alone.',
  wall: 'Wall view',
  openWall: 'Open the wall view',
  leaveWall: 'Leave the wall view',
  size: 'Size of the screen',
  sizeAbout:
    'Hold a ruler to the screen and set the bar to 100 mm. From it follow the height of letters and the size of buttons.',
  bar: 'Length of the bar, which must be 100 mm',
  shorter: 'Shorter',
  longer: 'Longer',
  distance: 'Read from a distance of',
  nearer: 'Nearer',
  farther: 'Farther',
  letters: (mm: string) => `Letters of the wall view: ${mm} mm high`,
  tooFar: (readable: string) =>
    `This window is too small for that distance: its letters are read from ${readable}. Take a larger screen, or show the page full screen (F11).`,
  gloves: 'Gloves',
  glovesAbout: 'Everything that is pressed is at least 20 mm high and wide, with 6 mm between.',
  keys: 'Keys',
  keysAbout:
    'Of the pages Review and Coil. Choose a row, then press the key it is to have; a key that another row has is exchanged with it. 1 to 9 are the classes, and 0 is no defect.',
  pressKey: 'Press a key …',
  keyRefused:
    'That key has its own meaning. Letters, Space, punctuation, Page up and down and the signs of the number pad are allowed.',
  keysReset: 'Keys as delivered',
  on: 'On',
  off: 'Off',
  lamps: 'What must work',
  lamp: {
    cameras: 'Cameras',
    light: 'Light and view',
    encoder: 'Strip length',
    classifier: 'Classifier',
    record: 'Record',
  },
  lampState: { on: 'In order', idle: 'Idle', off: 'Not watched', bad: 'Trouble' },
};
