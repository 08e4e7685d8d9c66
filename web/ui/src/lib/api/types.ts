export type Side = 'top' | 'bottom';
export type Grade = 'prime' | 'second' | 'hold' | 'block';
export type CoilState = 'announced' | 'running' | 'closed' | 'interrupted';
export interface Order { width_mm?: number; thickness_mm?: number; length_mm?: number; steel_grade?: string; recipe?: string }
export interface Coverage { side: Side; length_mm: number; inspected_mm: number; detected_only_mm: number; missed_mm: number }
export interface Coil {
  id: string; state: CoilState; order: Order; strip: { coil: string; length_mm: number; width_mm: number };
  revision: number; grade?: Grade; recipe: string; recipe_version: number; model: string; announced_at: string;
  started_at?: string; ended_at?: string;
  counts: { defects: number; gaps: number; by_class?: Record<string, number>; by_side?: Record<string, number> };
  coverage?: Coverage[];
}
export interface RuleOutcome { rule: string; broken: boolean; grade: Grade; measured: number; limit: number; unit: string; from_mm: number; to_mm: number; defects?: number[]; reason: string }
export interface Result { grade: Grade; recipe: string; recipe_version: number; trail: RuleOutcome[]; coverage: Coverage[] }
export interface CoilDetail extends Coil { result?: Result }
export interface CoilList { coils: Coil[]; next_cursor?: string }
export interface Defect { id: number; coil: string; side: Side; camera: string; rect: { along_mm: number; across_mm: number; length_mm: number; width_mm: number }; class: string; confidence: number; severity: number; area_mm2: number; contrast: number; seen: string; revision: number; has_image: boolean }
export interface Gap { side: Side; camera: string; from_mm: number; to_mm: number; state: 'detected-only' | 'incomplete' | 'underrun' | 'overrun' | 'unseen'; cause: string; open_end?: boolean }
export interface ClassInfo { id: string; ko: string; en: string }
export interface GradingRule { id: string; classes?: string[]; side?: Side; zone?: 'all' | 'edge' | 'body'; min_area_mm2?: number; min_length_mm?: number; min_width_mm?: number; min_confidence?: number; count: number; within_mm?: number; grade: Grade }
export interface Recipe { name: string; version: number; description: string; edge_margin_mm: number; longest_gap_mm: number; gap_grade: Grade; rules: GradingRule[] }
export interface Ledger { arrived: number; inspected: number; detected_only: number; incomplete: number; underrun: number; overrun: number; in_flight: number }
export interface CameraState { camera: string; side: Side; state: 'running' | 'idle' | 'lost'; strip_width_mm: number; mb_per_second: number; latency_p99_ms: number; ledger: Ledger; coverage: Coverage; frames_free: number }
export interface Provider { configured: string; measured: string; crops_per_second: number; healthy: boolean }
export interface Alarm { code: string; priority: 'high' | 'medium' | 'low'; since: string; values?: Record<string, string> }
export interface Live { time: string; coil?: Coil; speed_mps: number; position_mm: number; cameras: CameraState[]; model: string; provider: Provider; alarms: Alarm[]; recent: Defect[]; by_class: Record<string, number>; inspected_metres: number; unassigned_metres: number }
export interface Readiness { ready: boolean; reasons: string[]; version: string; model: string; provider: Provider; cameras: CameraState[]; inspected_metres: number }
