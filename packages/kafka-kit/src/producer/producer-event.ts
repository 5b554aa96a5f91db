/** Something that a producer did or found and that its caller may want to know. */
export type ProducerEvent =
  /** Keys hash over the new number from now on: some go to other partitions than before. */
  | { readonly kind: 'partitions-changed'; readonly topic: string; readonly from: number; readonly to: number }
  /** The topic was deleted and created again. */
  | { readonly kind: 'topic-recreated'; readonly topic: string }
  /** The engine took a new producer id. The first one is not reported. */
  | { readonly kind: 'producer-id-renewed'; readonly producerId: bigint; readonly reason: string }
  /** This kafkajs lacks members that the engine needs: messages go through its public `send`, which is slower. */
  | { readonly kind: 'public-route'; readonly missing: readonly string[] }
