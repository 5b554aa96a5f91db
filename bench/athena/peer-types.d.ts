// Peers that bring no types.
declare module 'papaparse' {
  interface ParseOptions<Row> {
    readonly header: true
    readonly skipEmptyLines: boolean
    step(result: { readonly data: Row }): void
  }
  const papaparse: { parse<Row>(text: string, options: ParseOptions<Row>): void }
  // biome-ignore lint/style/noDefaultExport: that is how the package exports
  export default papaparse
}
