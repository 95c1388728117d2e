/** What the pages read: the shapes of the API's answers. Shared by the server's routes and the browser's code. */
import Type from 'typebox'

/** RFC 3339 in UTC with milliseconds. */
const Instant = Type.String()
/** Milliseconds since 1970. */
const Millis = Type.Integer()

export const ranges = ['15m', '1h', '4h', '1d', '1w'] as const
export type Range = (typeof ranges)[number]

export const ApiError = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'Stable; docs/errors.md explains each one.' }),
    message: Type.String(),
  }),
})
export type ApiError = Type.Static<typeof ApiError>

/** A span of publishedAt cut into equal buckets: `[from, to)`. */
export const WindowInfo = Type.Object({
  range: Type.Enum(ranges),
  from: Millis,
  to: Millis,
  bucketMs: Type.Integer(),
})
export type WindowInfo = Type.Static<typeof WindowInfo>

export const SeriesPoint = Type.Object({
  at: Type.Integer({ description: 'Start of the bucket, milliseconds since 1970.' }),
  posts: Type.Integer(),
  score: Type.Union([Type.Number(), Type.Null()], {
    description: 'Mean of P(positive) - P(negative); null in an empty bucket.',
  }),
  negative: Type.Number({ description: 'Sum of P(negative).' }),
})
export type SeriesPoint = Type.Static<typeof SeriesPoint>

export const Band = Type.Object(
  { low: Type.Number(), high: Type.Number() },
  { description: '10% and 90% quantile of the earlier buckets of the window.' },
)
export type Band = Type.Static<typeof Band>

export const Mover = Type.Object({
  instrument: Type.String(),
  name: Type.String(),
  ticker: Type.String(),
  posts: Type.Integer(),
  score: Type.Number({ description: 'Mean score in the newest fifth of the window.' }),
  before: Type.Union([Type.Number(), Type.Null()], {
    description: 'Mean score in the rest of the window; null without posts there.',
  }),
  surprise: Type.Number({
    description: 'Standard errors between the two means, 0 where one is missing.',
  }),
  sparkline: Type.Array(Type.Union([Type.Number(), Type.Null()]), {
    description: 'Mean score of 30 equal slots of the window.',
  }),
})
export type Mover = Type.Static<typeof Mover>

export const Overview = Type.Object({
  window: WindowInfo,
  mood: Type.Array(SeriesPoint),
  kpis: Type.Object({
    mood: Type.Union([Type.Number(), Type.Null()], {
      description: 'Mean score of the newest tenth of the window.',
    }),
    usual: Type.Union([Band, Type.Null()]),
    posts: Type.Integer({ description: 'Posts of the window.' }),
    postsPerMinute: Type.Number({ description: 'In the newest tenth of the window.' }),
    instruments: Type.Integer({ description: 'Distinct instruments mentioned.' }),
  }),
  movers: Type.Array(Mover),
})
export type Overview = Type.Static<typeof Overview>

export const InstrumentSeries = Type.Object({
  instrument: Type.String(),
  name: Type.String(),
  ticker: Type.String(),
  window: WindowInfo,
  points: Type.Array(SeriesPoint),
})
export type InstrumentSeries = Type.Static<typeof InstrumentSeries>

export const FeedMention = Type.Object({
  instrument: Type.String(),
  name: Type.String(),
  ticker: Type.String(),
  relevance: Type.Number(),
})
export type FeedMention = Type.Static<typeof FeedMention>

/** A scored post as the feed shows it. Text, title, author and URL are untrusted. */
export const FeedPost = Type.Object({
  partition: Type.Integer(),
  offset: Type.Integer(),
  postId: Type.String(),
  source: Type.String(),
  kind: Type.String(),
  status: Type.String(),
  author: Type.String(),
  title: Type.String(),
  text: Type.String({ description: 'Cut to 600 characters.' }),
  url: Type.String(),
  history: Type.Boolean(),
  topic: Type.String(),
  negative: Type.Number(),
  neutral: Type.Number(),
  positive: Type.Number(),
  score: Type.Number(),
  degraded: Type.Boolean(),
  publishedAt: Instant,
  originalPublishedAt: Instant,
  appendedAt: Instant,
  mentions: Type.Array(FeedMention),
})
export type FeedPost = Type.Static<typeof FeedPost>

export const Feed = Type.Object({
  posts: Type.Array(FeedPost, { description: 'Newest first, without imported history.' }),
  before: Type.Union([Type.String(), Type.Null()], {
    description: 'Give it as `before` to read on; null at the end.',
  }),
})
export type Feed = Type.Static<typeof Feed>

export const TopicRow = Type.Object({
  topic: Type.String(),
  posts: Type.Integer(),
  cells: Type.Array(
    Type.Object({
      posts: Type.Integer(),
      score: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
})
export type TopicRow = Type.Static<typeof TopicRow>

export const Topics = Type.Object({
  window: WindowInfo,
  topics: Type.Array(TopicRow, { description: 'Most posts first.' }),
})
export type Topics = Type.Static<typeof Topics>

export const ReplayStatus = Type.Object({
  title: Type.String({ description: "What plays: 'market tweets of 2020'." }),
  state: Type.Enum(['seeding', 'playing', 'finished', 'failed']),
  speed: Type.Number({ description: 'Source seconds played in one second.' }),
  sourceTime: Type.Union([Instant, Type.Null()], {
    description: "The source's time that plays now.",
  }),
  posts: Type.Integer({ description: 'Played so far.' }),
  total: Type.Integer(),
})
export type ReplayStatus = Type.Static<typeof ReplayStatus>

export const Status = Type.Object({
  now: Instant,
  replay: Type.Union([ReplayStatus, Type.Null()]),
  newestAppendedAt: Type.Union([Instant, Type.Null()], {
    description: 'When the log took the newest stored post; null in an empty store.',
  }),
  waiting: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Records of the log that are not stored yet; null where the log is not at hand.',
  }),
  delayMs: Type.Union([Type.Number(), Type.Null()], {
    description: 'Median of scoredAt - appendedAt over the last minute with posts.',
  }),
  postsPerSecond: Type.Number({ description: 'Stored posts of the last minute, live only.' }),
  deadLetters: Type.Integer({ description: 'Open dead letters: refused, and nobody decided.' }),
  versions: Type.Record(Type.String(), Type.String()),
})
export type Status = Type.Static<typeof Status>

/** The stream's `hello`: whether it goes on after the reader's Last-Event-ID or begins now. */
export const Hello = Type.Object({ resumed: Type.Boolean() })
export type Hello = Type.Static<typeof Hello>

export const SqlAnswer = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Type.Unknown())),
  truncated: Type.Boolean({ description: 'More rows matched than the limit of 10,000.' }),
})
export type SqlAnswer = Type.Static<typeof SqlAnswer>
