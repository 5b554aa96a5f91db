import type { FuzzTarget } from './target'
import { grammarTargets } from './targets/grammars'
import { kafkaTargets } from './targets/kafka'
import { rowTargets } from './targets/rows'
import { serviceTargets } from './targets/services'

/** Every parser that reads bytes of strangers. */
export const targets: readonly FuzzTarget[] = [...rowTargets, ...kafkaTargets, ...serviceTargets, ...grammarTargets]
