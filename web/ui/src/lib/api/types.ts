/** The API's types under short names; schema.d.ts is generated from the API's own document. */

import type { components } from './schema';

type Schemas = components['schemas'];

export type Alarm = Schemas['Alarm'];
export type AlarmList = Schemas['AlarmList'];
export type AlarmRecord = Schemas['AlarmRecord'];
export type AlarmRule = Schemas['AlarmRule'];
export type AlarmRules = Schemas['AlarmRules'];
export type AlarmRulesTest = Schemas['AlarmRulesTest'];
export type CalibrationVersion = Schemas['CalibrationVersion'];
export type CameraCheck = Schemas['CameraCheck'];
export type CameraDetail = Schemas['CameraDetail'];
export type CameraProfile = Schemas['CameraProfile'];
export type CameraState = Schemas['CameraState'];
export type ClassInfo = Schemas['ClassInfo'];
export type Coil = Schemas['Coil'];
export type CoilDetail = Schemas['CoilDetail'];
export type CoilList = Schemas['CoilList'];
export type Coverage = Schemas['Coverage'];
export type Defect = Schemas['Defect'];
export type CutPlan = Schemas['CutPlan'];
export type Decision = Schemas['Decision'];
export type EncoderDetail = Schemas['EncoderDetail'];
export type Gap = Schemas['Gap'];
export type GradingRule = Schemas['GradingRule'];
export type Grading = Schemas['Grading'];
export type Live = Schemas['Live'];
export type ModelState = Schemas['ModelState'];
export type Neighbour = Schemas['Neighbour'];
export type QueueItem = Schemas['QueueItem'];
export type QueueReason = QueueItem['reasons'][number];
export type Readiness = Schemas['Readiness'];
export type Recipe = Schemas['Recipe'];
export type Review = Schemas['Review'];
export type ReviewQueue = Schemas['ReviewQueue'];
export type ReviewRecord = Schemas['ReviewRecord'];
export type ReviewRequest = Schemas['ReviewRequest'];
export type RecipePublished = Schemas['RecipePublished'];
export type RecipeTest = Schemas['RecipeTest'];
export type RollMark = Schemas['RollMark'];
export type RuleOutcome = Schemas['RuleOutcome'];

export type Teaching = Schemas['Teaching'];
export type TeachingDetail = Schemas['TeachingDetail'];
export type TeachingList = Schemas['TeachingList'];
export type TeachingQuestion = Schemas['TeachingQuestion'];

export type ClassShare = Schemas['ClassShare'];
export type GradeCounts = Schemas['GradeCounts'];
export type Interval = Schemas['Interval'];
export type ReviewRates = Schemas['ReviewRates'];
export type StripProfile = Schemas['StripProfile'];
export type TrendPoint = Schemas['TrendPoint'];
export type Trends = Schemas['Trends'];

export type CoilState = Coil['state'];
export type Grade = NonNullable<Coil['grade']>;
export type Side = Defect['side'];
