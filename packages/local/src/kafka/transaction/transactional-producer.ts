/** A producer, as its requests name it. */
export interface TransactionalProducer {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The answer to InitProducerId. */
export interface InitializedProducer {
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The transactional ids whose partition of `__transaction_state` this broker leads. */
export interface TransactionCoordinator {
  /** Gives the producer its id and the next epoch, which fences its former self; ends what that one left open. `known` is what it already has. */
  init(
    transactionalId: string,
    timeoutMs: number,
    known: { readonly producerId: bigint; readonly producerEpoch: number },
  ): Promise<InitializedProducer>
  /** Notes partitions (`topic/partition`) before they are written to. Resolves with an error code. */
  add(producer: TransactionalProducer, partitions: readonly string[]): Promise<number>
  /** Decides the transaction; marks are written after the answer. Resolves with an error code. */
  end(producer: TransactionalProducer, isCommit: boolean): Promise<number>
  /** Whether the producer may write to a partition: an error code. */
  verify(producer: TransactionalProducer, place: string): number
}
