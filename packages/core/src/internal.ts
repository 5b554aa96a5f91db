// For sister packages only: no promise of stability.
export { checkOptions } from './options'
