/** What alerts promise to dashboards: the event that explains an alert, and the alert as its events leave it. */
import Type from 'typebox'

/** States of a series; an alert is seen from `firing` on. */
export const seriesStates = ['normal', 'pending', 'firing', 'recovering', 'resolved'] as const
export type SeriesState = (typeof seriesStates)[number]

export const alertStates = ['firing', 'recovering', 'resolved'] as const
export type AlertState = (typeof alertStates)[number]

/** RFC 3339 in UTC with milliseconds. */
const Instant = Type.String()

/** A post that weighs in the alert's window. Its text is untrusted. */
export const AlertText = Type.Object({
  position: Type.String({ description: "log_topic/partition/offset: 'posts@0/1/42'." }),
  postId: Type.String(),
  source: Type.String(),
  author: Type.String(),
  text: Type.String({ description: 'Cut to 500 characters.' }),
  publishedAt: Instant,
  originalPublishedAt: Instant,
  negative: Type.Number({ description: 'Calibrated P(negative).' }),
  posts: Type.Integer({ description: 'Posts of the same story in the window.' }),
  experts: Type.Array(Type.Object({ name: Type.String(), negative: Type.Number() }), {
    description: 'What each expert said.',
  }),
})
export type AlertText = Type.Static<typeof AlertText>

/** Why the window stands out. Volumes are sums of P(negative) over distinct stories. */
export const AlertEvidence = Type.Object({
  windowStart: Instant,
  windowEnd: Instant,
  observed: Type.Number({ description: 'Negative volume of the window.' }),
  expected: Type.Number({ description: 'Mean negative volume of such a window.' }),
  usualLow: Type.Number({ description: '5% quantile of the baseline.' }),
  usualHigh: Type.Number({ description: '95% quantile of the baseline.' }),
  pValue: Type.Number({ description: 'Mid-p of a volume this high under the baseline.' }),
  threshold: Type.Number({
    description: 'The p-value below which the rule fires, corrected for all windows looked at.',
  }),
  baselineWindows: Type.Number({ description: 'Windows that taught the baseline (effective).' }),
  posts: Type.Integer({ description: 'Posts that mention the instrument.' }),
  negativePosts: Type.Integer({ description: 'Of those, more likely negative than not.' }),
  stories: Type.Integer({ description: 'Distinct texts: near-duplicates count once.' }),
  negativeStories: Type.Integer(),
  authors: Type.Integer({
    description: 'Distinct authors; a post without author counts by its story.',
  }),
  shareFromPosts: Type.Number({
    description: 'Part of the excess that more stories explain; the rest is a more negative tone.',
  }),
  shareFromTone: Type.Number(),
})
export type AlertEvidence = Type.Static<typeof AlertEvidence>

export const AlertEvent = Type.Object({
  id: Type.String({ description: 'Equal input gives equal ids: from alert, state and time.' }),
  alertId: Type.String({ description: 'From rule, instrument and the bucket that began it.' }),
  rule: Type.String(),
  instrument: Type.String(),
  instrumentName: Type.String(),
  state: Type.Enum(alertStates),
  previousState: Type.Enum(seriesStates),
  reason: Type.String({ description: 'The transition in words.' }),
  at: Instant,
  startedAt: Instant,
  evidence: AlertEvidence,
  texts: Type.Array(AlertText, { description: 'The most negative stories, worst first.' }),
  link: Type.String(),
})
export type AlertEvent = Type.Static<typeof AlertEvent>

/** An alert as its newest event leaves it; evidence and texts are of the moment it fired. */
export const AlertSummary = Type.Object({
  id: Type.String(),
  rule: Type.String(),
  instrument: Type.String(),
  instrumentName: Type.String(),
  state: Type.Enum(alertStates),
  startedAt: Instant,
  firedAt: Instant,
  updatedAt: Instant,
  resolvedAt: Type.Union([Instant, Type.Null()]),
  evidence: AlertEvidence,
  texts: Type.Array(AlertText),
  link: Type.String(),
})
export type AlertSummary = Type.Static<typeof AlertSummary>

/** Answer of GET /api/alerts, newest first. */
export const AlertList = Type.Object({ alerts: Type.Array(AlertSummary) })
export type AlertList = Type.Static<typeof AlertList>

/** Answer of GET /api/alerts/:id. */
export const AlertDetail = Type.Object({ alert: AlertSummary, events: Type.Array(AlertEvent) })
export type AlertDetail = Type.Static<typeof AlertDetail>
