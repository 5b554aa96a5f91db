export { injectFaults, type NetworkFault } from './network-faults'
export { sharedData, sharedDataMissing } from './shared-data'
