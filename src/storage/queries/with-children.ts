/** A key and all that were made with it. */
export const WITH_CHILDREN = `WITH RECURSIVE family(id) AS (
    SELECT ? UNION SELECT child.id FROM keys child JOIN family ON child.parent_id = family.id
  ) SELECT id FROM family`;
