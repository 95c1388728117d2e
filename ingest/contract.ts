/** What ingest promises to everything downstream: the shape of a post, its limits, and the shape of a dead letter. */
import Type from 'typebox'

export const kinds = ['news', 'comment'] as const
export const statuses = ['original', 'corrected', 'withdrawn'] as const

export const maxTextLength = 20_000
/** A post may claim to be published this much after the log took it: clocks differ. */
export const maxFutureMs = 5 * 60_000

/** RFC 3339, with a zone. Whether the date exists is checked beside the schema (validate). */
const Instant = Type.String({
  minLength: 20,
  maxLength: 40,
  description: 'RFC 3339 date and time with a zone.',
})

export const Post = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Unique in its source; the same id with another text is a new version.',
    }),
    source: Type.String({ minLength: 1, maxLength: 100 }),
    kind: Type.Enum(kinds),
    text: Type.String({ minLength: 1, maxLength: maxTextLength }),
    title: Type.Optional(Type.String({ maxLength: 1_000 })),
    url: Type.Optional(Type.String({ maxLength: 2_000 })),
    author: Type.Optional(Type.String({ maxLength: 200 })),
    language: Type.Optional(
      Type.String({
        maxLength: 35,
        description: 'BCP 47 tag; found by the pipeline when missing.',
      }),
    ),
    tickers: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 20 }), { maxItems: 50 }),
    ),
    publishedAt: Instant,
    originalPublishedAt: Type.Optional(Instant),
    status: Type.Optional(Type.Enum(statuses)),
    supersedes: Type.Optional(Type.String({ maxLength: 200 })),
    history: Type.Optional(
      Type.Boolean({
        description:
          'Imported history: stored and scored like any post, but it teaches baselines by publishedAt and never enters the live series.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type Post = Type.Static<typeof Post>

/** A record of `posts.dead`. Its key is `origin`, so that a repeat is recognised. */
export const DeadLetter = Type.Object({
  origin: Type.String({ description: 'topic/partition/offset of the refused record' }),
  reason: Type.String(),
  /** The refused bytes as UTF-8, cut to 64 KiB. */
  payload: Type.String(),
  payloadBytes: Type.Integer(),
  appendedAt: Type.String(),
})
export type DeadLetter = Type.Static<typeof DeadLetter>
