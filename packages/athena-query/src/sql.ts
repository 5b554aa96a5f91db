/** A piece of SQL made by the `sql` tag: text and values kept apart. Opaque. */
export interface SqlFragment {
  readonly kind: 'sql'
}
