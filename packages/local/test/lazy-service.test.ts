import { expect, it, vi } from 'vitest'
import { lazyService } from '../src/lazy-service'
import type { Service, ServiceCall } from '../src/service'

const call = {} as ServiceCall

it('opens at the first request, once, again after a failure, and closes only what was opened', async () => {
  const inner: Service = { name: 'x', matches: () => true, handle: vi.fn(async () => {}), close: vi.fn(async () => {}) }
  const open = vi.fn<() => Promise<Service>>().mockRejectedValueOnce(new Error('not yet')).mockResolvedValue(inner)
  const service = lazyService('x', () => true, open)
  await service.close?.()
  expect(open).not.toHaveBeenCalled()
  await expect(service.handle(call)).rejects.toThrow('not yet')
  await Promise.all([service.handle(call), service.handle(call)])
  expect([open.mock.calls.length, vi.mocked(inner.handle).mock.calls.length]).toEqual([2, 2])
  await service.close?.()
  expect(inner.close).toHaveBeenCalledTimes(1)
})
