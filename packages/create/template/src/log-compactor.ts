import { createAthena } from '@pipe/athena-query'
import { athenaEngine, compactorHandler, createCompactor } from '@pipe/compactor'
import { compaction } from './compaction'
import { places } from './places'

const athena = createAthena({ database: places.database, output: places.results })

/** Called each five minutes: compacts every window that is due and not done. */
export const handler = compactorHandler(createCompactor({ compaction, engine: athenaEngine({ athena }), athena }))
