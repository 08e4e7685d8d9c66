import type { CameraState } from './api/types';
import { t } from './i18n/index.svelte';

/** A camera by the side it looks at, and by its own name where several look at that side. */
export function cameraName(camera: CameraState, all: readonly CameraState[]): string {
  const side = t().sideShort[camera.side];
  return all.filter((c) => c.side === camera.side).length > 1 ? camera.camera : side;
}
