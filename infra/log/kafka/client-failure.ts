/** What kafkajs throws, in the product's words: one sentence that says what to do, and whether a repetition can help. */
import { AppError, describeError } from '../../errors.ts'

/** Kafka's words for what the broker forbids. */
const forbidden = /^(TOPIC|GROUP|CLUSTER|TRANSACTIONAL_ID)_AUTHORIZATION_FAILED$/
const connection =
  /^KafkaJS(Connection|ConnectionClosed|RequestTimeout|NoBrokerAvailable|BrokerNotFound|LockTimeout)Error$|^KafkaJSBrokerNotFound$/
const certificate = /certificate|self.signed|ssl|tls|EPROTO/i

interface ClientError {
  readonly name: string
  readonly message: string
  readonly type: string
  readonly retriable: boolean
}

/** kafkajs wraps: the innermost error tells. */
function innermost(error: unknown): ClientError {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >
  const inner = fields.cause ?? (Array.isArray(fields.errors) ? fields.errors[0] : undefined)
  if (inner instanceof Error && inner !== error) return innermost(inner)
  return {
    name: String(fields.name ?? ''),
    message: describeError(error),
    type: String(fields.type ?? ''),
    retriable: fields.retriable !== false,
  }
}

/** Kafka's own name of the error, such as TOPIC_ALREADY_EXISTS; '' where the broker did not answer with one. */
export function kafkaErrorType(error: unknown): string {
  return innermost(error).type
}

/** `doing` completes "Kafka refused ..." and "Kafka failed ...". */
export function clientFailure(doing: string, brokers: readonly string[], error: unknown): AppError {
  if (error instanceof AppError) return error
  const { name, message, type, retriable } = innermost(error)
  const at = brokers.join(', ')
  const failure = (
    code: 'LOG' | 'LOG_UNREACHABLE' | 'UNSUPPORTED',
    text: string,
    retryable: boolean,
  ): AppError => new AppError(code, text, { retryable, cause: error })
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED')
    return failure(
      'LOG_UNREACHABLE',
      `Kafka at ${at} refused the login: check kafka.sasl.mechanism, username and password`,
      true,
    )
  if (connection.test(name) && certificate.test(message))
    return failure(
      'LOG_UNREACHABLE',
      `Kafka at ${at} could not be spoken to over TLS: check kafka.tls and the certificates (${message})`,
      true,
    )
  // kafkajs trips over its own list of brokers when it has lost them all.
  if (connection.test(name) || name === 'TypeError')
    return failure(
      'LOG_UNREACHABLE',
      `No Kafka broker answers at ${at} (${message}): check kafka.brokers, kafka.tls and kafka.sasl`,
      true,
    )
  if (forbidden.test(type))
    return failure(
      'UNSUPPORTED',
      `Kafka does not allow ${doing}: grant this user the right to (${type})`,
      false,
    )
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return failure(
      'LOG',
      `Kafka refused ${doing}: larger than the topic's max.message.bytes allows`,
      false,
    )
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return failure('LOG', `Kafka refused ${doing}: there is no such topic or partition`, true)
  return failure(
    'LOG',
    `Kafka failed ${doing}: ${type === '' ? message : `${type}, ${message}`}`,
    retriable,
  )
}
