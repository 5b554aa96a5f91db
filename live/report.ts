import type { LiveResult } from './check'

/** The page of what a run on a real account found. */
export function verifiedPage(results: readonly LiveResult[], run: { readonly at: Date; readonly where: string }): string {
  const count = (outcome: LiveResult['outcome']) => results.filter((one) => one.outcome === outcome).length
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return `# Verified

Written by \`npm run live-aws\`; not edited by hand. ${run.at.toISOString().slice(0, 10)}, ${run.where}: ${count('holds')} claims hold, ${count('differs')} differ,
${count('failed')} could not be checked, ${count('skipped')} suites were left out.

${[line(['', 'claim', '']), line(['---', '---', '---']), ...results.map(({ suite, claim, outcome, detail }) => line([suite, claim, outcome === 'holds' ? 'holds' : `**${outcome}**: ${detail}`]))].join('\n')}
`
}
