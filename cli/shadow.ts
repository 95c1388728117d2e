/** `tickertone shadow`: how the shadow fares beside the experts that vote. */
import { Command } from 'commander'
import { inert } from '../infra/inert.ts'
import type { ShadowReport } from '../pipeline/routes/experts.ts'
import type { Share } from '../pipeline/serving/intervals.ts'
import type { ShadowFigures } from '../pipeline/serving/shadow-figures.ts'
import { ask, runningMonitor } from './api.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

export function shadowCommand(): Command {
  return withMonitor(new Command('shadow'))
    .description('Agreement and accuracy of the shadow beside what is shown')
    .option('--json', 'print the report as JSON')
    .action(async (options: ConfigOptions & { json?: boolean }) => {
      const monitor = await runningMonitor(configFrom(options))
      const { shadow } = await ask<{ shadow: ShadowReport | null }>(`${monitor}/api/experts/shadow`)
      process.stdout.write(options.json ? `${JSON.stringify(shadow)}\n` : inText(shadow))
    })
}

function inText(shadow: ShadowReport | null): string {
  if (shadow === null) return 'No shadow runs: pipeline.shadow.expert names one.\n'
  const head = `${shadow.expert} ${shadow.version}: ${shadow.votes ? 'votes' : `shadow on ${percent(shadow.share)} of the posts`}; a promotion takes ${shadow.labelsWanted} labels`
  return [head, ...shadow.figures.flatMap(linesOf)].map((line) => `${inert(line)}\n`).join('')
}

function linesOf(figures: ShadowFigures): string[] {
  const { accuracyDifference: apart } = figures
  return [
    `${figures.task}: ran on ${figures.posts} posts (${figures.ran === null ? '-' : percent(figures.ran)})`,
    `  agreement with what was shown  ${shareText(figures.agreement)}`,
    ...Object.entries(figures.agreementWith).map(
      ([name, share]) => `  agreement with ${name.padEnd(16)}${shareText(share)}`,
    ),
    `  accuracy of what was shown     ${shareText(figures.shownAccuracy)}`,
    `  accuracy of the shadow         ${shareText(figures.shadowAccuracy)}`,
    `  shadow - shown                 ${apart === null ? '-' : `${signed(apart.difference)} [${apart.interval.map(signed).join(', ')}]`}`,
  ]
}

function shareText({ n, share, interval }: Share): string {
  if (share === null || interval === null) return '- (n 0)'
  return `${percent(share)} [${interval.map(percent).join(', ')}] (n ${n})`
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`
const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`
