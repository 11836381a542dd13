/**
 * etcd as a system under test: started from Debian's package, asked through its own JSON gateway.
 * Also the example for whoever adds another.
 *
 * <p>Must not know: containers, our own node. Read first: {@link raft.harness.etcd.EtcdSystem}.
 */
@NullMarked
package raft.harness.etcd;

import org.jspecify.annotations.NullMarked;
