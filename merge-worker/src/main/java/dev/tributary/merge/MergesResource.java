package dev.tributary.merge;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/// Shows the merges that run and those that ran last, for progress bars.
@Path("/merges")
public class MergesResource {
    private final MergeWorker worker;

    MergesResource(MergeWorker worker) {
        this.worker = worker;
    }

    /// Running merges first, then the last ones, newest first.
    @GET
    @Produces(MediaType.APPLICATION_JSON)
    public List<MergeView> merges() {
        return worker.merges();
    }
}
