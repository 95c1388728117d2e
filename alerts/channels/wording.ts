/** How an alert reads in plain text. Post texts and names are untrusted: control and bidi characters become blanks. */
import { inert } from '../../infra/inert.ts'
import type { AlertEvent } from '../contract.ts'

export function headline({ state, instrumentName, evidence }: AlertEvent): string {
  const name = inert(instrumentName)
  if (state === 'resolved') return `Resolved: negative volume on ${name} is back to normal`
  const times = evidence.expected > 0 ? (evidence.observed / evidence.expected).toFixed(1) : '-'
  return `Alert: negative volume on ${name} is ${times} times its usual level`
}

/** The evidence in one sentence a line. */
export function explanation({ evidence }: AlertEvent): string[] {
  const { observed, expected, usualLow, usualHigh, pValue, threshold } = evidence
  const percent = (share: number): string => `${Math.round(share * 100)}%`
  return [
    `Negative volume ${observed.toFixed(1)}; expected ${expected.toFixed(1)}, usually ${usualLow.toFixed(1)} to ${usualHigh.toFixed(1)} (p = ${pValue.toExponential(1)}, threshold ${threshold.toExponential(1)}).`,
    `${evidence.posts} posts, ${evidence.negativePosts} of them negative; ${evidence.stories} distinct texts by ${evidence.authors} voices.`,
    `The excess comes ${percent(evidence.shareFromPosts)} from more posts and ${percent(evidence.shareFromTone)} from a more negative tone.`,
    `Window ${evidence.windowStart} to ${evidence.windowEnd}.`,
  ]
}
