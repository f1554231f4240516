// A JSON literal is no member of an enum: each enum is as good as the texts or numbers it stands for. What a plugin
// fills in by itself may be missing from options.
type Literal<T> = T extends string ? `${T}` : T extends number ? (`${T}` extends `${infer N extends number}` ? N : never) : T;
export type Loose<T> = T extends string | number | boolean | null | undefined
  ? Literal<T>
  : T extends (infer E)[]
    ? Loose<E>[]
    : T extends object
      ? { [K in keyof T]: Loose<T[K]> }
      : T;
export type Deep<T> = T extends (infer E)[] ? Deep<E>[] : T extends object ? { [K in keyof T]?: Deep<T[K]> } : T;
