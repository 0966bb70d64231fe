/** An error that a user can act on; its message is one line for people. */
export class RecognizerError extends Error {}
