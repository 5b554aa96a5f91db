import { queuedService } from './queued-service'

export const handler = queuedService('invoice')
