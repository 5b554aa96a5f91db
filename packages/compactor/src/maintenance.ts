export {
  collectGarbage,
  type Garbage,
  type GarbageOptions,
  type GarbageReport,
} from './maintenance/collect-garbage'
export type { MaintenanceOptions } from './maintenance/context'
