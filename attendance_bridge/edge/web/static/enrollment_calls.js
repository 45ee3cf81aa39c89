// Calls of the agent about enrollments.

import { call as call_agent } from "./calls.js";

export { Refused } from "./calls.js";

const BASE = "/api/v1/enrollments";

export const url = (path) => (path ? `${BASE}/${path}` : BASE);
export const call = (method, path, body = null, more = {}) => call_agent(method, url(path), body, more);
