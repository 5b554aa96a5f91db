/**
 * The export conditions that this process was started with (`--conditions=x`, `-C x`, by argument or NODE_OPTIONS): what it resolves from sources, its
 * functions resolve from sources, too.
 */
export function processConditions(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env['NODE_OPTIONS'] ?? '',
): readonly string[] {
  const args = [...nodeOptions.split(/\s+/).filter((arg) => arg !== ''), ...execArgv]
  const found = new Set<string>()
  for (const [i, arg] of args.entries()) {
    const joined = /^(?:--conditions|-C)=(.+)$/.exec(arg)?.[1]
    const value = joined ?? (arg === '--conditions' || arg === '-C' ? args[i + 1] : undefined)
    if (value !== undefined) found.add(value)
  }
  return [...found]
}
