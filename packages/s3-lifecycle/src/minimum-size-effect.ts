import type { ObjectCount } from './affected'
import type { LifecycleConfiguration } from './configuration'
import { lifecycleEvaluator } from './evaluator'
import type { MinimumSizeMode } from './storage-class'
import type { StoredObject } from './stored-object'

/** Counts the objects that one mode moves by a moment and the other does not, while a listing is read for something else. */
export function minimumSizeEffect(
  desired: LifecycleConfiguration,
  before: MinimumSizeMode,
  at: Date,
): { add(object: StoredObject): void; count(): ObjectCount } {
  const total = { objects: 0, bytes: 0 }
  const now = lifecycleEvaluator(desired, { at, versioning: 'enabled' })
  const then = lifecycleEvaluator({ ...desired, TransitionDefaultMinimumObjectSize: before }, { at, versioning: 'enabled' })
  return {
    add(object) {
      if ((now(object)?.action === 'transition') === (then(object)?.action === 'transition')) return
      total.objects++
      total.bytes += object.sizeBytes
    },
    count: () => total,
  }
}
