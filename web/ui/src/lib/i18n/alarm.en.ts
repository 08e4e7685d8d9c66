/** What alarms say in English: what it is, what it means, what to do. */

export interface AlarmText {
  title: string;
  consequence: string;
  action: string;
}

const say = (title: string, consequence: string, action: string): AlarmText => ({
  title,
  consequence,
  action,
});

export const alarm = {
  inspection_lost: say(
    'Strip runs uninspected',
    'These metres are a gap in the coil; it cannot be graded prime.',
    'Check cameras and load; have the gap looked at by eye.',
  ),
  camera_lost: say(
    'Camera lost',
    'One side of the strip is not seen.',
    'Check the cable and power of the camera. Inspection goes on by itself when it is back.',
  ),
  not_calibrated: say(
    'Camera not calibrated',
    'The lamp’s unevenness stays in the picture; defects at the edges may be missed or made up.',
    'Take the flat field on the cameras page.',
  ),
  encoder_silent: say(
    'Encoder silent',
    'Where the strip is cannot be told: what runs now is a gap.',
    'Check the encoder, its counter and the network.',
  ),
  encoder_stalled: say(
    'Encoder stands, strip runs',
    'The picture shows the strip moving while the encoder stands: what runs now is not placed.',
    'Check the encoder’s wheel and coupling.',
  ),
  encoder_mismatch: say(
    'Encoder and camera disagree',
    'Positions along the strip may be wrong.',
    'Check the trigger’s divider and whether the encoder’s wheel slips.',
  ),
  encoder_jumped: say(
    'Encoder jumped',
    'The counter was set while the strip ran; the strip’s position was kept, and the moment is a gap.',
    'Have the coil’s length checked; nobody should set the counter while strip runs.',
  ),
  strip_backwards: say(
    'Strip runs backwards',
    'What is seen again is not inspected twice.',
    'Nothing, where it is meant. Else check reverse in the configuration.',
  ),
  lamp_lost: say(
    'No light',
    'The camera sees nothing; these metres are a gap.',
    'Check the lamp, its power and its fuse.',
  ),
  lamp_failing: say(
    'Part of the lamp fails',
    'Defects under the dark part are missed.',
    'Change the lamp’s segment at this place, then take the flat field.',
  ),
  focus_soft: say(
    'Picture grows soft',
    'Fine defects may be missed.',
    'Check that the lens and the camera sit tight, then focus it on the cameras page.',
  ),
  motion_blur: say(
    'Picture is smeared along the strip',
    'Short defects along the strip may be missed.',
    'Shorten the exposure, or check the encoder’s scale.',
  ),
  camera_changed: say(
    'Camera has changed since its calibration',
    'Brightness, places or sharpness are not what the calibration says.',
    'Clean the window, check lamp, lens and mount; then check it again or calibrate it anew.',
  ),
  check_due: say(
    'Camera is due for its check',
    'Nobody knows whether it still sees as on the day of its calibration.',
    'Lay its reference piece under it and press Check on the cameras page.',
  ),
  window_dirty: say(
    'Dirt on the window',
    'Small defects under it may be missed, coil after coil.',
    'Wipe the window at this place. If it stays, take the flat field.',
  ),
  lamp_ageing: say(
    'Lamp is ageing',
    'The picture grows darker from coil to coil.',
    'Plan a new lamp, or raise the exposure and take the flat field.',
  ),
  severe_defect: say(
    'Severe defect',
    'The coil may be held or blocked.',
    'Open the defect, judge the picture, tell quality.',
  ),
  defect_density: say(
    'Too many defects',
    'Something in the process has changed.',
    'Look at the map for a pattern: descaling, water, scale.',
  ),
  coverage_low: say(
    'Too little of the coil is inspected',
    'What was not seen is a gap; the coil may be held.',
    'Look at the cameras’ ledger for the cause: load, light or a lost camera.',
  ),
  roll_period: say(
    'Mark repeats with a roll',
    'Every further coil carries the mark.',
    'Find the roll of this circumference and plan its change.',
  ),
  no_coil: say(
    'Strip without a coil',
    'What is found is not kept under any coil.',
    'Check that tracking announces and starts the coil.',
  ),
  provider_mismatch: say(
    'Classifier runs on the wrong device',
    'Classes may come late at full speed.',
    'Check the driver, then start the appliance again.',
  ),
  model_refused: say(
    'New model refused',
    'The model before it goes on; nothing is lost.',
    'Read the reason; mend or roll back with coilsight model.',
  ),
  record_failing: say(
    'Record cannot be written',
    'What is found now is not kept.',
    'Check the disk: free space, rights, cable.',
  ),
  disk_low: say(
    'Disk nearly full',
    'Pictures will be thinned out; records are kept.',
    'Free space or archive old coils.',
  ),
  classifier_late: say(
    'Classifier is late',
    'Some defects are recorded without a class.',
    'Wait for the burst to pass; if it stays, check the load.',
  ),
  headroom_low: say(
    'Hardly any speed left',
    'Faster strip would not be inspected everywhere.',
    'Do not raise the speed; if this stays, ask for a look at the load.',
  ),
} as Record<string, AlarmText>;

export const alarmUnknown = (code: string): AlarmText =>
  say(`Alarm ${code}`, 'This page does not know the alarm.', 'See the log of the appliance.');

/** Why, as the appliance says it. */
export const alarmReason = (said: string): string => said;
