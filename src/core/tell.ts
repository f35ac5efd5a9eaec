/** Takes a line for the log. `info`: how things go; `warn`, where nothing is said: what somebody may have to look at. */
export type Tell = (message: string, level?: 'info' | 'warn') => void;
