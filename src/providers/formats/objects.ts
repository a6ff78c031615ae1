import type { ObjectRule } from "../provider.ts";

/** OpenAI, and whoever keeps files and batches as it does. */
export const openaiObjects: ObjectRule = {
  path: /^(?:\/openai)?(?:\/v1)?\/(?:files|uploads|batches|fine_tuning|assistants|threads|vector_stores|containers|conversations|evals|videos|responses|chat\/completions\/.)/,
  balanced: /\/responses$/,
};

/** Gemini and Vertex: what their paths name after a collection. */
export const googleObjects: ObjectRule = {
  path: /\/(?:files|cachedcontents|batches|tunedmodels|filesearchstores|operations|interactions|batchpredictionjobs|tuningjobs)(?:[/:]|$)|:batch|longrunning$/,
  balanced: /\/interactions$/,
};

/** Files, batches and what agents keep. */
export const anthropicObjects: ObjectRule = {
  path: /^\/(?:files|messages\/batches|skills|agents|sessions|memory_stores|environments)(?:\/|$)/,
};
