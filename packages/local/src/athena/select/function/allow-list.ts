import { arrayFunctions } from './array'
import { dateTimeFunctions } from './date-time'
import { elementFunctions } from './element'
import { jsonFunctions } from './json'
import { mapFunctions } from './map'
import { numberFunctions } from './number'
import type { ScalarFunction } from './signature'
import { stringFunctions } from './string'

/** The allow-list of scalar functions without lambdas: what is not here is refused. */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = new Map(
  Object.entries({
    ...stringFunctions,
    ...numberFunctions,
    ...dateTimeFunctions,
    ...jsonFunctions,
    ...elementFunctions,
    ...arrayFunctions,
    ...mapFunctions,
  }),
)
