package raft.client;

/**
 * A reply on its way.
 *
 * @param id of the request it answers; 0 for a refusal that concerns the whole connection, which
 *     the server then closes
 */
public record Answer(long id, Reply reply) {}
